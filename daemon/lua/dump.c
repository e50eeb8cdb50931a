/* dump.c - see dump.h. The order of parts is that of Lua's ldump.c. Nothing here raises: a reader
 * that runs out of bytes gives zeros, and `failed` is looked at once, at the end. */
#include "lua/dump.h"

#include <string.h>

#define HEADER_BYTES  31 /* signature, version, format, data, three sizes, an integer, a number */
#define ABSOLUTE_LINE (-128)
#define DEPTH_MAX     220 /* Lua itself nests functions less deep */

enum {
    K_NIL = 0x00,
    K_FALSE = 0x01,
    K_TRUE = 0x11,
    K_INT = 0x03,
    K_FLOAT = 0x13,
    K_SHORT = 0x04,
    K_LONG = 0x14
};

struct reader {
    const unsigned char *at;
    const unsigned char *end;
    struct arena *arena;
    bool failed;
};

static const void *take(struct reader *r, size_t len)
{
    static const unsigned char ZEROS[HEADER_BYTES + 1];

    if ((size_t)(r->end - r->at) < len) {
        r->failed = true;
        r->at = r->end;
        return len <= sizeof(ZEROS) ? ZEROS : NULL;
    }
    r->at += len;
    return r->at - len;
}

static unsigned take_byte(struct reader *r)
{
    return *(const unsigned char *)take(r, 1);
}

static size_t take_size(struct reader *r)
{
    size_t x = 0;
    unsigned b;

    do {
        b = take_byte(r);
        x = x << 7 | (b & 0x7f);
    } while (!(b & 0x80) && !r->failed);
    return x;
}

/* A number of things, each at least one byte long: never more than bytes are left. */
static size_t take_count(struct reader *r)
{
    size_t count = take_size(r);

    if (count > (size_t)(r->end - r->at)) {
        r->failed = true;
        return 0;
    }
    return count;
}

static void *need(struct reader *r, size_t size)
{
    void *p = arena_alloc(r->arena, size);
    r->failed = r->failed || !p;
    return p;
}

/* NULL when it is absent. */
static const char *take_text(struct reader *r)
{
    size_t size = take_size(r);
    const char *bytes = size > 0 ? take(r, size - 1) : NULL;

    if (size == 0 || r->failed)
        return NULL;
    const char *text = arena_copy(r->arena, bytes, size - 1);
    r->failed = r->failed || !text;
    return text;
}

static void read_code(struct reader *r, struct dump_function *f)
{
    f->code_count = take_count(r);
    const void *bytes = take(r, f->code_count * sizeof(*f->code));
    uint32_t *code = need(r, f->code_count * sizeof(*f->code));
    if (!r->failed)
        memcpy(code, bytes, f->code_count * sizeof(*f->code));
    f->code = code;
}

static void read_constants(struct reader *r, struct dump_function *f)
{
    f->text_count = take_count(r);
    f->texts = need(r, f->text_count * sizeof(*f->texts));
    for (size_t i = 0; i < f->text_count && !r->failed; i++) {
        unsigned type = take_byte(r);
        if (type == K_INT || type == K_FLOAT)
            take(r, 8);
        else if (type == K_SHORT || type == K_LONG)
            f->texts[i] = take_text(r);
        else if (type != K_NIL && type != K_FALSE && type != K_TRUE)
            r->failed = true;
    }
}

static void read_upvalues(struct reader *r, struct dump_function *f)
{
    f->upvalue_count = take_count(r);
    f->upvalues = need(r, f->upvalue_count * sizeof(*f->upvalues));
    for (size_t i = 0; i < f->upvalue_count && !r->failed; i++) {
        f->upvalues[i] = (struct dump_upvalue){ .name = "", .is_local = take_byte(r) != 0 };
        f->upvalues[i].index = (uint8_t)take_byte(r);
        take_byte(r); /* its kind */
    }
}

static void read_lines(struct reader *r, struct dump_function *f)
{
    size_t count = take_count(r);
    const signed char *steps = take(r, count);
    size_t absolute_count = take_count(r);
    int line = f->line_defined;
    size_t next = 0;

    f->lines = need(r, (f->code_count + 1) * sizeof(*f->lines));
    for (size_t i = 0; i < absolute_count && !r->failed; i++) {
        size_t pc = take_size(r);
        int at = (int)take_size(r);
        for (; next < pc && next < count && next < f->code_count; next++)
            f->lines[next] = line += steps[next];
        if (next == pc && next < count && next < f->code_count && steps[next] == ABSOLUTE_LINE)
            f->lines[next++] = line = at;
    }
    for (; !r->failed && next < count && next < f->code_count; next++)
        f->lines[next] = line += steps[next];
}

static void read_names(struct reader *r, struct dump_function *f)
{
    for (size_t i = take_count(r); i > 0 && !r->failed; i--) {
        const char *name = take_text(r);
        f->has_local_env = f->has_local_env || (name && strcmp(name, "_ENV") == 0);
        take_size(r); /* from, to */
        take_size(r);
    }
    size_t count = take_count(r);
    for (size_t i = 0; i < count && !r->failed; i++) {
        const char *name = take_text(r);
        if (name && i < f->upvalue_count)
            f->upvalues[i].name = name;
    }
}

static struct dump_function *read_function(struct reader *r, int depth)
{
    struct dump_function *f = need(r, sizeof(*f));

    if (!f || depth > DEPTH_MAX) {
        r->failed = true;
        return NULL;
    }
    take_text(r); /* source */
    f->line_defined = (int)take_size(r);
    take_size(r); /* last line */
    const unsigned char *form = r->at;
    f->params = (uint8_t)take_byte(r);
    take(r, 2); /* is it variadic, stack size */
    read_code(r, f);
    read_constants(r, f);
    read_upvalues(r, f);
    if (!r->failed) {
        f->form_len = (size_t)(r->at - form);
        f->form = arena_copy(r->arena, (const char *)form, f->form_len);
        r->failed = !f->form;
    }
    f->inner_count = take_count(r);
    f->inner = need(r, f->inner_count * sizeof(struct dump_function *));
    for (size_t i = 0; i < f->inner_count && !r->failed; i++)
        f->inner[i] = read_function(r, depth + 1);
    read_lines(r, f);
    read_names(r, f);
    return f;
}

struct dump_function *dump_read(struct arena *arena, const char *bytes, size_t len)
{
    struct reader r = { .at = (const unsigned char *)bytes,
                        .end = (const unsigned char *)bytes + len,
                        .arena = arena };
    const char *header = take(&r, HEADER_BYTES);

    if (r.failed || memcmp(header, "\x1bLua\x54", 5) != 0)
        return NULL;
    take_byte(&r); /* how many upvalues */
    struct dump_function *f = read_function(&r, 0);
    return r.failed ? NULL : f;
}
