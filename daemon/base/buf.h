/*
 * buf.h - a growing run of bytes, for building text.
 *
 * A zeroed struct buf is empty and valid. After a failed allocation the buffer
 * keeps what it had and `failed` stays set, so that a writer checks once, at its end.
 * The bytes are always followed by a NUL that `len` does not count.
 */
#ifndef PATHWAY_BUF_H
#define PATHWAY_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct buf {
    char *data; /* owned; NULL while empty */
    size_t len;
    size_t cap;
    bool failed;
    bool is_lent; /* `data` is what buf_lend() gave */
};

/* Begin with the caller's `size` bytes, at least 1, which outlive `b`; what outgrows them moves to
 * the heap. `b` is zeroed. */
void buf_lend(struct buf *b, char *room, size_t size);

/* Make room for `len` bytes more; false, and failed, when there is no memory. */
bool buf_grow(struct buf *b, size_t len);

/* Where `len` bytes may be written; buf_wrote() then says how many were. NULL after a failure. */
static inline char *buf_room(struct buf *b, size_t len)
{
    if (b->failed || (len >= b->cap - b->len && !buf_grow(b, len)))
        return NULL;
    return b->data + b->len;
}

static inline void buf_wrote(struct buf *b, size_t len)
{
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_str(struct buf *b, const char *s); /* NUL-terminated */
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Empty it, keeping the memory for the next use. Clears `failed`. */
void buf_reset(struct buf *b);
/* The bytes as a C string; "" when empty. Borrowed until the next change. */
const char *buf_cstr(const struct buf *b);
/* Hand over the bytes: the caller frees them with free(). NULL after a failure. */
char *buf_take(struct buf *b);
void buf_fini(struct buf *b);

#endif
