/* text.c - see text.h. Lengths are bytes throughout. */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t text_utf8_char(const char *s, size_t len, uint32_t *code)
{
    static const uint32_t LEAST[] = { 0, 0, 0x80, 0x800, 0x10000 }; /* below is overlong */
    const unsigned char *u = (const unsigned char *)s;

    if (len == 0)
        return 0;
    size_t need = u[0] < 0x80 ? 1 : u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : u[0] >= 0xc2 ? 2 : 0;
    if (need == 0 || need > len || u[0] > 0xf4)
        return 0;
    uint32_t c = need == 1 ? u[0] : u[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (u[i] & 0x3fu);
    }
    if (c < LEAST[need] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    if (code)
        *code = c;
    return need;
}

#define EIGHT(byte) (0x0101010101010101u * (byte))

/* Not 0 when one of the eight bytes is outside 0x20 to 0x7e: those below borrow, those above carry
 * into their topmost bit or have it set. */
static uint64_t not_printable(uint64_t eight)
{
    return ((eight - EIGHT(0x20u)) | (eight + EIGHT(1u)) | eight) & EIGHT(0x80u);
}

size_t text_ascii_run(const char *s, size_t len)
{
    uint64_t eight;
    size_t n = 0;

    for (; len - n >= sizeof(eight); n += sizeof(eight)) {
        memcpy(&eight, s + n, sizeof(eight));
        if (not_printable(eight))
            break;
    }
    if (n > 0 && len - n < sizeof(eight)) { /* the last eight; some were looked at before */
        memcpy(&eight, s + len - sizeof(eight), sizeof(eight));
        if (!not_printable(eight))
            return len;
    }
    while (n < len && s[n] >= 0x20 && s[n] < 0x7f)
        n++;
    return n;
}

bool text_is_utf8(const char *s, size_t len)
{
    while (len > 0) {
        size_t step = text_utf8_char(s, len, NULL);
        if (step == 0)
            return false;
        s += step;
        len -= step;
    }
    return true;
}

bool text_is_printable(const char *s, size_t len)
{
    for (;;) {
        uint32_t c;
        size_t step = text_ascii_run(s, len);
        s += step;
        len -= step;
        if (len == 0)
            return true;
        step = text_utf8_char(s, len, &c);
        if (step == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0))
            return false;
        if ((c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe)
            return false;
        s += step;
        len -= step;
    }
}

/* Where windows-1252 differs from Latin-1: 0x80 to 0x9f; 0xfffd where it leaves a byte open. */
static const uint16_t CP1252[32] = {
    0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178,
};

char *text_from_cp1252(const char *s, size_t len, size_t *out_len)
{
    if (len > (SIZE_MAX - 1) / 3)
        return NULL;
    char *out = malloc(len * 3 + 1); /* none of its characters needs more than three bytes */
    if (!out)
        return NULL;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        uint32_t c = (unsigned char)s[i];
        if (c >= 0x80 && c < 0xa0)
            c = CP1252[c - 0x80];
        if (c < 0x80) {
            out[n++] = (char)c;
        } else if (c < 0x800) {
            out[n++] = (char)(0xc0 | c >> 6);
            out[n++] = (char)(0x80 | (c & 0x3f));
        } else {
            out[n++] = (char)(0xe0 | c >> 12);
            out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
            out[n++] = (char)(0x80 | (c & 0x3f));
        }
    }
    out[n] = '\0';
    if (out_len)
        *out_len = n;
    return out;
}

#define LONGEST_NAME  64 /* longer ones are no slips of a known name */
#define SHORTEST_PART 4

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Edits and swaps of neighbours that turn `a` into `b`, case ignored. Both at most LONGEST_NAME. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][LONGEST_NAME + 1]; /* the row before the last, the last, this one */
    size_t *old = rows[0], *last = rows[1], *row = rows[2];

    memset(rows, 0, sizeof(rows));
    for (size_t j = 0; j <= b_len; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = last[j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
            if (best > last[j] + 1)
                best = last[j] + 1;
            if (best > row[j - 1] + 1)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]) && best > old[j - 2] + 1)
                best = old[j - 2] + 1;
            row[j] = best;
        }
        size_t *spare = old;
        old = last;
        last = row;
        row = spare;
    }
    return last[b_len];
}

/* Does a word of `candidate` begin so, or all of it? Words are parted by _ . and -. */
static bool has_part(const char *candidate, const char *name, size_t len)
{
    for (const char *at = candidate; *at; at++) {
        bool begins = at == candidate || strchr("_.-", at[-1]);
        size_t i = 0;
        while (begins && i < len && lower(at[i]) == lower(name[i]))
            i++;
        if (begins && i == len)
            return true;
    }
    return false;
}

/* The only one that `name` is a part of: who writes less than all of a name means that. */
static const char *only_whole(const char *name, size_t len, const char *const *candidates,
                              size_t count)
{
    const char *whole = NULL;

    for (size_t i = 0; i < count && len >= SHORTEST_PART; i++) {
        if (!has_part(candidates[i], name, len))
            continue;
        if (whole)
            return NULL;
        whole = candidates[i];
    }
    return whole;
}

const char *text_nearest(const char *name, const char *const *candidates, size_t count)
{
    size_t len = strlen(name);
    size_t limit = len / 3 > 1 ? len / 3 : 1;
    const char *nearest = NULL;

    if (len == 0 || len > LONGEST_NAME)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(candidates[i]);
        if (other > LONGEST_NAME || other + limit < len || len + limit < other)
            continue;
        size_t d = distance(name, len, candidates[i], other);
        if (d > limit || d >= len) /* all of a short name exchanged is another name */
            continue;
        nearest = candidates[i];
        if (d == 0)
            break;
        limit = d - 1; /* from here on only a nearer one counts */
    }
    return nearest ? nearest : only_whole(name, len, candidates, count);
}

const char *text_hint(char *out, size_t size, const char *name, const char *const *candidates,
                      size_t count)
{
    const char *nearest = text_nearest(name, candidates, count);

    if (size > 0)
        out[0] = '\0';
    if (nearest)
        snprintf(out, size, "; did you mean \"%s\"?", nearest);
    return out;
}
