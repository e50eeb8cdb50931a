/* csvfile.c - see csvfile.h. libcsv is given one physical line at a time, so that rows know
 * their line. */
#include "base/csvfile.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <csv.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"

/* libcsv's name for it, which its header does not give away. */
#define CSV_ROW_NOT_BEGUN 0

struct reading {
    const char *path;
    csv_row_fn *fn;
    void *arg;
    struct err *err;
    enum err_code rc;
    struct buf text; /* the fields of the row, each ended by NUL */
    size_t *starts;
    const char **fields;
    int count, cap;
    int64_t line;     /* being read */
    int64_t row_line; /* where the row under way began */
};

/* Make the bytes UTF-8 without a mark; *start is where they begin. */
static enum err_code decode(struct buf *text, size_t *start, const char *path, struct err *err)
{
    size_t len;

    *start = 0;
    if (text->len >= 2 &&
        (!memcmp(text->data, "\xFF\xFE", 2) || !memcmp(text->data, "\xFE\xFF", 2)))
        return err_set(err, ERR_INPUT, "%s is UTF-16: save it as CSV in UTF-8 or windows-1252",
                       path);
    if (text->len >= 3 && !memcmp(text->data, "\xEF\xBB\xBF", 3))
        *start = 3;
    if (text_is_utf8(buf_cstr(text) + *start, text->len - *start))
        return OK;
    if (*start)
        return err_set(err, ERR_INPUT,
                       "%s has the mark of UTF-8 but bytes that are not: save it again", path);
    char *utf8 = text_from_cp1252(text->data, text->len, &len);
    if (!utf8)
        return err_set(err, ERR_LIMIT, "%s: no memory for its text", path);
    buf_reset(text);
    buf_add(text, utf8, len);
    free(utf8);
    return text->failed ? err_set(err, ERR_LIMIT, "%s: no memory for its text", path) : OK;
}

/* What is saved as .csv but is something else. */
static enum err_code check_kind(const char *text, size_t len, const char *path, struct err *err)
{
    size_t at = 0;

    while (at < len && isspace((unsigned char)text[at]))
        at++;
    if (at == len)
        return err_set(err, ERR_INPUT, "%s is empty", path);
    if (text[at] == '<')
        return err_set(
            err, ERR_INPUT,
            "%s is a web page saved as CSV, as a download that failed leaves it: download it again",
            path);
    if (memchr(text, '\0', len))
        return err_set(err, ERR_INPUT, "%s has NUL bytes: expected a CSV file", path);
    return OK;
}

static bool grow(struct reading *r)
{
    int cap = r->cap ? r->cap * 2 : 256;
    size_t *starts = realloc(r->starts, (size_t)cap * sizeof(*starts));
    if (starts)
        r->starts = starts;
    const char **fields = realloc(r->fields, (size_t)cap * sizeof(*fields));
    if (fields)
        r->fields = fields;
    if (starts && fields)
        r->cap = cap;
    return starts && fields;
}

static void take_field(void *bytes, size_t len, void *arg)
{
    struct reading *r = arg;

    if (r->rc != OK || (r->count == r->cap && !grow(r))) {
        if (r->rc == OK)
            r->rc = err_set(r->err, ERR_LIMIT, "%s: no memory for a row", r->path);
        return;
    }
    r->starts[r->count++] = r->text.len;
    buf_add(&r->text, bytes, len);
    buf_char(&r->text, '\0');
}

static void take_row(int end, void *arg)
{
    struct reading *r = arg;

    (void)end;
    if (r->rc == OK && r->text.failed)
        r->rc = err_set(r->err, ERR_LIMIT, "%s: no memory for a row", r->path);
    if (r->rc == OK) {
        for (int i = 0; i < r->count; i++)
            r->fields[i] = r->text.data + r->starts[i];
        const struct csv_row row = { .line = r->row_line, .fields = r->fields, .count = r->count };
        r->rc = r->fn(&row, r->arg, r->err);
    }
    buf_reset(&r->text);
    r->count = 0;
}

static enum err_code parse(struct reading *r, struct csv_parser *csv, const char *text, size_t len)
{
    for (size_t at = 0; at < len && r->rc == OK;) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t n = newline ? (size_t)(newline - text) + 1 - at : len - at;
        r->line++;
        if (csv->pstate == CSV_ROW_NOT_BEGUN)
            r->row_line = r->line;
        if (csv_parse(csv, text + at, n, take_field, take_row, r) != n)
            return err_set(r->err, ERR_LIMIT, "%s:%lld: %s", r->path, (long long)r->line,
                           csv_strerror(csv_error(csv)));
        at += n;
    }
    csv_set_opts(csv, CSV_STRICT | CSV_STRICT_FINI); /* from here on, an open quote is an error */
    if (r->rc == OK && csv_fini(csv, take_field, take_row, r) != 0)
        return err_set(
            r->err, ERR_INPUT,
            "%s ends inside the quoted field of the row at line %lld: the file is cut off, or "
            "a quote is missing there",
            r->path, (long long)r->row_line);
    return r->rc;
}

static enum err_code parse_text(const char *path, const char *text, size_t len, csv_row_fn *fn,
                                void *arg, struct err *err)
{
    struct reading r = { .path = path, .fn = fn, .arg = arg, .err = err };
    struct csv_parser csv;

    if (csv_init(&csv, 0) != 0)
        return err_set(err, ERR_LIMIT, "libcsv does not start");
    enum err_code rc = parse(&r, &csv, text, len);
    csv_free(&csv);
    buf_fini(&r.text);
    free(r.starts);
    free(r.fields);
    return rc;
}

/* The bytes may be changed, and are no longer the file's afterwards. */
static enum err_code parse_buf(const char *name, struct buf *text, csv_row_fn *fn, void *arg,
                               struct err *err)
{
    size_t start = 0;

    enum err_code rc = decode(text, &start, name, err);
    if (rc == OK)
        rc = check_kind(buf_cstr(text) + start, text->len - start, name, err);
    if (rc == OK)
        rc = parse_text(name, text->data + start, text->len - start, fn, arg, err);
    return rc;
}

enum err_code csvfile_parse(const char *name, const char *bytes, size_t len, csv_row_fn *fn,
                            void *arg, struct err *err)
{
    struct buf text = { 0 };

    buf_add(&text, bytes, len);
    enum err_code rc = text.failed ? err_set(err, ERR_LIMIT, "%s: no memory for its text", name)
                                   : parse_buf(name, &text, fn, arg, err);
    buf_fini(&text);
    return rc;
}

enum err_code csvfile_read(const char *path, csv_row_fn *fn, void *arg, struct err *err)
{
    struct buf text = { 0 };

    enum err_code rc = file_read(&text, path, err);
    if (rc == OK)
        rc = parse_buf(path, &text, fn, arg, err);
    buf_fini(&text);
    return rc;
}

/* Spaces around a column's name are no difference. */
static bool is_named(const char *field, const char *name)
{
    size_t n = strlen(name);

    field += strspn(field, " \t");
    return !strncasecmp(field, name, n) && field[n + strspn(field + n, " \t")] == '\0';
}

int csv_column(const struct csv_row *header, const char *name)
{
    for (int i = 0; i < header->count; i++)
        if (is_named(header->fields[i], name))
            return i;
    return -1;
}

const char *csv_field(const struct csv_row *row, int column)
{
    if (column < 0 || column >= row->count)
        return "";
    const char *text = row->fields[column];
    return text + strspn(text, " \t\r\n");
}
