/* ndjson.c - see ndjson.h. The line that did not fit into a batch is held for the next. */
#include "cli/ndjson.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define BLOCK_BYTES (256 * 1024)

struct ndjson {
    FILE *in;         /* borrowed */
    const char *name; /* borrowed */
    char *block;
    size_t at, end; /* what of the block is not used yet */
    struct buf line;
    int64_t number; /* of `line` in the file, from 1 */
    bool is_held;   /* `line` waits to be put into a batch */
    int64_t bytes;
};

enum err_code ndjson_open(struct ndjson **out, FILE *in, const char *name, struct err *err)
{
    struct ndjson *r = calloc(1, sizeof(*r));

    *out = NULL;
    if (r)
        r->block = malloc(BLOCK_BYTES);
    if (!r || !r->block) {
        free(r);
        return err_set(err, ERR_LIMIT, "%s: no memory for reading", name);
    }
    r->in = in;
    r->name = name;
    *out = r;
    return OK;
}

void ndjson_close(struct ndjson *r)
{
    if (!r)
        return;
    buf_fini(&r->line);
    free(r->block);
    free(r);
}

int64_t ndjson_bytes(const struct ndjson *r)
{
    return r->bytes - (int64_t)(r->end - r->at);
}

/* Fill the block; false at the end of the file or after an error. */
static bool read_block(struct ndjson *r)
{
    r->at = 0;
    r->end = fread(r->block, 1, BLOCK_BYTES, r->in);
    r->bytes += (int64_t)r->end;
    return r->end > 0;
}

/* Read the next line into r->line, without its end. *found is false at the end of the file. */
static enum err_code read_line(struct ndjson *r, bool *found, struct err *err)
{
    bool is_ended = false;

    buf_reset(&r->line);
    *found = false;
    while (!is_ended && (r->at < r->end || read_block(r))) {
        const char *start = r->block + r->at;
        const char *newline = memchr(start, '\n', r->end - r->at);
        size_t len = newline ? (size_t)(newline - start) : r->end - r->at;
        buf_add(&r->line, start, len);
        r->at += len + (newline != NULL);
        is_ended = newline != NULL;
        *found = true;
        if (r->line.len > LINE_BYTES_MAX)
            return err_set(
                err, ERR_INPUT,
                "%s:%lld: a line of more than %zu MiB: expected one event a line (NDJSON)", r->name,
                (long long)r->number + 1, LINE_BYTES_MAX >> 20);
    }
    r->number += *found;
    if (ferror(r->in))
        return err_set(err, ERR_IO, "%s: %s", r->name, strerror(errno));
    return r->line.failed ? err_set(err, ERR_LIMIT, "%s: no memory for a line", r->name) : OK;
}

static void skip_mark(struct buf *line)
{
    static const char MARK[] = "\xEF\xBB\xBF";

    if (line->len >= 3 && !memcmp(line->data, MARK, 3)) {
        line->len -= 3;
        memmove(line->data, line->data + 3, line->len + 1);
    }
}

static bool is_blank(const struct buf *line)
{
    for (size_t i = 0; i < line->len; i++)
        if (!strchr(" \t\r", line->data[i]) || !line->data[i])
            return false;
    return true;
}

/* Hold the next line that is not empty; r->is_held stays false at the end. */
static enum err_code hold_line(struct ndjson *r, struct err *err)
{
    while (!r->is_held) {
        bool found;
        enum err_code rc = read_line(r, &found, err);
        if (rc != OK || !found)
            return rc;
        if (r->number == 1)
            skip_mark(&r->line);
        if (r->line.len && r->line.data[r->line.len - 1] == '\r')
            r->line.len--;
        r->is_held = !is_blank(&r->line);
    }
    return OK;
}

static enum err_code put_line(struct batch *out, struct ndjson *r, struct err *err)
{
    int64_t *lines = array_room(out->lines, out->count, &out->cap, sizeof(*lines));

    if (!lines)
        return err_set(err, ERR_LIMIT, "%s: no memory for a batch", r->name);
    out->lines = lines;
    out->lines[out->count++] = r->number;
    buf_add(&out->body, r->line.data, r->line.len);
    buf_char(&out->body, '\n');
    r->is_held = false;
    return out->body.failed ? err_set(err, ERR_LIMIT, "%s: no memory for a batch", r->name) : OK;
}

enum err_code ndjson_next(struct batch *out, struct ndjson *r, uint32_t max_events,
                          size_t max_bytes, struct err *err)
{
    enum err_code rc = OK;

    buf_reset(&out->body);
    out->count = 0;
    out->file = r->name;
    while (rc == OK && out->count < max_events) {
        rc = hold_line(r, err);
        if (rc != OK || !r->is_held)
            break;
        if (out->count && out->body.len + r->line.len + 1 > max_bytes)
            break;
        rc = put_line(out, r, err);
    }
    return rc;
}

void batch_fini(struct batch *b)
{
    buf_fini(&b->body);
    free(b->lines);
    memset(b, 0, sizeof(*b));
}
