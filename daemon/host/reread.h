/*
 * reread.h - what could not be read again at the last reload: the configuration, or files of a
 * plugin (a certificate). It goes on with what it had; this remembers why, until one goes well.
 */
#ifndef PATHWAY_HOST_REREAD_H
#define PATHWAY_HOST_REREAD_H

#include <stdint.h>

#include "base/buf.h"

#define REREAD_MAX 17 /* the configuration, and as many plugins as there can be */

struct reread_part {
    const char *name; /* "configuration", or a plugin's; borrowed */
    char *why;        /* NULL: it went well */
    int64_t since;    /* when it failed first, without going well since */
};

/* Zeroed to valid. */
struct reread {
    struct reread_part parts[REREAD_MAX];
    size_t count;
};

/* How reading `name` (borrowed for good) ended at the instant `now`; `why` NULL: well. */
void reread_note(struct reread *r, const char *name, const char *why, int64_t now);
/* Append a JSON array: [{"part", "why", "since"}], of what did not go well. */
void reread_write(const struct reread *r, struct buf *out);
/* The same for people: "PART: WHY" and a newline each. */
void reread_write_lines(const struct reread *r, struct buf *out);
/* pathwayd_reload_failed{part}, in Prometheus' text format. */
void reread_measure(const struct reread *r, struct buf *out);
void reread_fini(struct reread *r);

#endif
