/*
 * ndjson.h - a file of events, one a line, split into batches at line ends.
 *
 * A byte order mark at the start is skipped, as are empty lines; CRLF ends a line as LF does. What
 * the lines hold is not looked at.
 */
#ifndef PATHWAY_CLI_NDJSON_H
#define PATHWAY_CLI_NDJSON_H

#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

#define LINE_BYTES_MAX                                                                             \
    ((size_t)16 << 20) /* no request may be larger, so no line that can be sent */

/* Lines of one file, each ended by LF. A zeroed one is empty and valid. */
struct batch {
    const char *file; /* for messages; borrowed from the reader */
    struct buf body;
    int64_t *lines; /* the line number in the file of each event */
    uint32_t count;
    size_t cap;
};
void batch_fini(struct batch *b);

struct ndjson;

/* `in` is borrowed, `name` too. */
MUST_CHECK enum err_code ndjson_open(struct ndjson **out, FILE *in, const char *name,
                                     struct err *err);
void ndjson_close(struct ndjson *r); /* NULL allowed */

/*
 * Refill `out` with at most `max_events` lines and, unless a single line is longer, `max_bytes`.
 * At the end of the file it is empty. ERR_INPUT: a line beyond LINE_BYTES_MAX; ERR_IO: reading
 * failed.
 */
MUST_CHECK enum err_code ndjson_next(struct batch *out, struct ndjson *r, uint32_t max_events,
                                     size_t max_bytes, struct err *err);
/* Bytes of the file read so far, for showing progress. */
int64_t ndjson_bytes(const struct ndjson *r);

#endif
