/* sentences.c - see sentences.h. */
#include "cli/sentences.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define SENTENCES_MAX 500
#define QUOTE_MIN     12 /* characters: a shorter quote could be of any sentence */

struct reading {
    struct sentences *s;
    const char *heading;
    struct buf text; /* the sentence at hand */
    int line;
    bool is_item; /* it began with "- " */
};

static void end_sentence(struct reading *r)
{
    struct sentences *s = r->s;
    size_t len = r->text.len;
    const char *copy;

    while (len > 0 && isspace((unsigned char)r->text.data[len - 1]))
        len--;
    if (len == 0 || s->count == SENTENCES_MAX ||
        !(copy = arena_copy(&s->arena, r->text.data, len))) {
        buf_reset(&r->text);
        return;
    }
    s->items[s->count++] =
        (struct sentence){ .text = copy, .heading = r->heading, .line = r->line };
    buf_reset(&r->text);
}

static bool is_heading(const char *line, size_t len)
{
    return len > 0 && !strchr(".:!?,;", line[len - 1]) && len < 80;
}

static void take_line(struct reading *r, const char *line, size_t len, int number)
{
    if (len > 1 && line[0] == '-' && line[1] == ' ') {
        end_sentence(r);
        line += 2;
        len -= 2;
        r->is_item = true;
    } else if (r->text.len == 0) {
        r->is_item = false;
    }
    for (size_t i = 0; i < len; i++) {
        if (r->text.len == 0) {
            if (line[i] == ' ')
                continue;
            r->line = number;
        }
        buf_char(&r->text, line[i]);
        bool is_end = strchr(".!?", line[i]) && (i + 1 == len || line[i + 1] == ' ');
        if (is_end)
            end_sentence(r);
    }
    if (r->text.len)
        buf_char(&r->text, ' ');
}

/* A line with an empty one behind it, and no end of a sentence, names what follows. */
static void end_paragraph(struct reading *r, int number)
{
    size_t len = r->text.len;

    while (len > 0 && r->text.data[len - 1] == ' ')
        len--;
    if (r->line == number - 1 && !r->is_item && is_heading(buf_cstr(&r->text), len)) {
        const char *heading = arena_copy(&r->s->arena, r->text.data, len);
        r->heading = heading ? heading : "";
        buf_reset(&r->text);
    }
    end_sentence(r);
}

static void take_any_line(struct reading *r, const char *line, size_t len, int number)
{
    if (len == 0)
        end_paragraph(r, number);
    else if (line[0] != '#')
        take_line(r, line, len, number);
}

enum err_code sentences_read(struct sentences *out, const char *path, struct err *err)
{
    struct reading r = { .s = out, .heading = "" };
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    *out = (struct sentences){ 0 };
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_set(err, errno == ENOENT ? ERR_ABSENT : ERR_IO, "%s: %s", path, strerror(errno));
    out->items = arena_alloc(&out->arena, sizeof(*out->items) * SENTENCES_MAX);
    for (int n = 1; out->items && (len = getline(&line, &cap, f)) >= 0; n++) {
        while (len > 0 && isspace((unsigned char)line[len - 1]))
            len--;
        take_any_line(&r, line, (size_t)len, n);
    }
    end_sentence(&r);
    free(line);
    fclose(f);
    buf_fini(&r.text);
    return out->items ? OK : err_set(err, ERR_LIMIT, "%s: no memory", path);
}

void sentences_fini(struct sentences *s)
{
    arena_fini(&s->arena);
}

/* Only letters and digits, small, and one space between words. */
static void plain(struct buf *out, const char *text, size_t len)
{
    bool is_between = false;

    buf_reset(out);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (isalnum(c)) {
            if (is_between && out->len)
                buf_char(out, ' ');
            buf_char(out, (char)tolower(c));
        }
        is_between = !isalnum(c);
    }
}

static void name_quote(struct sentences *s, const char *quote, size_t len)
{
    struct buf wanted = { 0 }, text = { 0 };

    plain(&wanted, quote, len);
    for (int i = 0; i < s->count && wanted.len >= QUOTE_MIN; i++) {
        plain(&text, s->items[i].text, strlen(s->items[i].text));
        if (text.len && (strstr(buf_cstr(&text), buf_cstr(&wanted)) ||
                         strstr(buf_cstr(&wanted), buf_cstr(&text))))
            s->items[i].is_named = true;
    }
    buf_fini(&wanted);
    buf_fini(&text);
}

void sentences_name(struct sentences *s, const char *source)
{
    const char *open = source ? strchr(source, '"') : NULL;

    for (const char *close; open && (close = strchr(open + 1, '"')); open = strchr(close + 1, '"'))
        name_quote(s, open + 1, (size_t)(close - open - 1));
}

void sentences_name_title(struct sentences *s, const char *title)
{
    struct buf wanted = { 0 }, text = { 0 };

    plain(&wanted, title ? title : "", title ? strlen(title) : 0);
    for (int i = 0; i < s->count && wanted.len; i++) {
        plain(&text, s->items[i].text, strlen(s->items[i].text));
        if (strcmp(buf_cstr(&text), buf_cstr(&wanted)) == 0)
            s->items[i].is_named = true;
    }
    buf_fini(&wanted);
    buf_fini(&text);
}
