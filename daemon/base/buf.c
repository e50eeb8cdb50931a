/* buf.c - see buf.h. Growth doubles; `cap` counts the place of the NUL too. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 256

static char *resize(struct buf *b, size_t cap)
{
    if (!b->is_lent)
        return realloc(b->data, cap);
    char *data = malloc(cap);
    if (data)
        memcpy(data, b->data, b->len + 1);
    return data;
}

bool buf_grow(struct buf *b, size_t len)
{
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    while (cap - b->len <= len) {
        if (cap > SIZE_MAX / 2) {
            b->failed = true;
            return false;
        }
        cap *= 2;
    }
    char *data = resize(b, cap);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    b->is_lent = false;
    return true;
}

void buf_lend(struct buf *b, char *room, size_t size)
{
    room[0] = '\0';
    b->data = room;
    b->cap = size;
    b->is_lent = true;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
    char *out = buf_room(b, len);

    if (!out)
        return;
    if (len > 0)
        memcpy(out, bytes, len);
    buf_wrote(b, len);
}

void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
    char *out = buf_room(b, 1);

    if (!out)
        return;
    *out = c;
    buf_wrote(b, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0) {
        b->failed = true;
        return;
    }
    char *out = buf_room(b, (size_t)len);
    if (!out)
        return;
    va_start(args, fmt);
    vsnprintf(out, (size_t)len + 1, fmt, args);
    va_end(args);
    b->len += (size_t)len;
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

const char *buf_cstr(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_take(struct buf *b)
{
    buf_add(b, "", 0); /* an empty buffer hands over "" */
    if (b->is_lent && !b->failed)
        (void)buf_grow(b, 0);
    if (b->failed) {
        buf_fini(b);
        return NULL;
    }
    char *data = b->data;
    *b = (struct buf){ 0 };
    return data;
}

void buf_fini(struct buf *b)
{
    if (!b->is_lent)
        free(b->data);
    *b = (struct buf){ 0 };
}
