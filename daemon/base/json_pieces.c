/*
 * json_pieces.c - see json_pieces.h. Simdjson says whether the text is JSON, of a copy in which no
 * number is out of range; of what is JSON it is plain where an item ends.
 */
#include "base/json_pieces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_roads.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_of_number(char c)
{
    return is_digit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Behind a string that begins at `at`. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\';
    return at < end ? at + 1 : end;
}

/* Each run of digits becomes one, or two where it begins with a nought: valid and invalid numbers
 * stay what they are. What is saved becomes spaces behind. */
static const char *shorten(char *out, const char *at, const char *end)
{
    const char *begin = at;
    size_t len = 0;

    while (at < end && is_of_number(*at)) {
        const char *run = at;
        out[len++] = *at++;
        if (!is_digit(*run))
            continue;
        while (at < end && is_digit(*at))
            at++;
        if (*run == '0' && at - run > 1)
            out[len++] = '0';
    }
    memset(out + len, ' ', (size_t)(at - begin) - len);
    return at;
}

/* A copy of the same length without numbers out of range. */
static void copy_short(char *out, const char *bytes, const char *end)
{
    for (const char *at = bytes, *next; at < end; at = next) {
        char *to = out + (at - bytes);
        if (*at == '-' || is_digit(*at)) {
            next = shorten(to, at, end);
            continue;
        }
        next = *at == '"' ? skip_string(at, end) : at + 1;
        memcpy(to, at, (size_t)(next - at));
    }
}

static enum err_code check(const char *bytes, size_t len, struct err *err)
{
    char *copy = malloc(len + 1);

    if (!copy)
        return err_set(err, ERR_LIMIT, "no memory for this JSON");
    copy_short(copy, bytes, bytes + len);
    bool is_json = json_is_well_formed(copy, len);
    free(copy);
    return is_json ? OK : ERR_INPUT;
}

/* Where the item that begins here ends: at the comma or bracket behind it. */
static const char *item_end(const char *at, const char *end)
{
    int depth = 0;

    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            continue;
        }
        if (depth == 0 && (*at == ',' || *at == ']'))
            break;
        depth += *at == '[' || *at == '{';
        depth -= *at == ']' || *at == '}';
        at++;
    }
    return at;
}

static const char *skip_blank(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

static size_t count_items(const char *at, const char *end)
{
    size_t n = 0;

    for (at = skip_blank(at, end); at < end && *at != ']'; at += *at == ',') {
        at = item_end(at, end);
        n++;
    }
    return n;
}

/* Follow the lines and columns (of characters, as the parser counts them) from `at` to `to`. */
static void walk(int *line, int *column, const char *at, const char *to)
{
    for (; at < to; at++) {
        *line += *at == '\n';
        if (*at == '\n')
            *column = 1;
        else
            *column += ((unsigned char)*at & 0xc0) != 0x80;
    }
}

enum err_code json_pieces(struct json_piece **out, size_t *count, struct arena *arena,
                          const char *bytes, size_t len, struct err *err)
{
    const char *end = bytes + len, *at = skip_blank(bytes, end), *seen = bytes;
    int line = 1, column = 1;

    *out = NULL;
    *count = 0;
    if (at == end || *at != '[')
        return ERR_INPUT;
    enum err_code rc = check(bytes, len, err);
    if (rc != OK)
        return rc;
    size_t room = count_items(++at, end);
    *out = arena_alloc(arena, (room + 1) * sizeof(**out));
    if (!*out)
        return err_set(err, ERR_LIMIT, "no memory for this JSON");
    for (; *count < room; at++) {
        at = skip_blank(at, end);
        walk(&line, &column, seen, at);
        seen = at;
        const char *stop = item_end(at, end);
        (*out)[(*count)++] = (struct json_piece){ at, (size_t)(stop - at), line, column };
        at = stop;
    }
    return OK;
}

void json_piece_place(struct err *err, const struct json_piece *piece, const char *whole)
{
    int line, column, byte, len = 0;
    struct err told = { 0 };

    if (sscanf(err->msg, "line %d, column %d (byte %d)%n", &line, &column, &byte, &len) != 3 ||
        len == 0)
        return;
    (void)err_set(&told, err->code, "line %d, column %d (byte %td)%s", piece->line + line - 1,
                  line == 1 ? piece->column + column - 1 : column, (piece->bytes - whole) + byte,
                  err->msg + len);
    *err = told;
}
