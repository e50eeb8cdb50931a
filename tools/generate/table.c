/* table.c - see table.h. libcsv calls back for each cell; a row is gathered before it is shown. */
#include "table.h"

#include <csv.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define COLUMNS_MAX 16

struct reader {
    const char *path;
    const char *const *columns;
    int count;
    table_row_fn *fn;
    void *arg;
    struct err *err;
    enum err_code rc;
    int line;               /* rows seen, the header included */
    int cell;               /* cells seen in this row */
    int place[COLUMNS_MAX]; /* the cell that holds each wanted column; -1 not seen */
    struct buf text[COLUMNS_MAX];
};

static void take_cell(void *bytes, size_t len, void *arg)
{
    struct reader *r = arg;
    const char *s = bytes;

    for (int i = 0; i < r->count; i++) {
        if (r->line == 0) {
            if (strlen(r->columns[i]) == len && memcmp(r->columns[i], s, len) == 0)
                r->place[i] = r->cell;
        } else if (r->place[i] == r->cell) {
            buf_add(&r->text[i], s, len);
        }
    }
    r->cell++;
}

static enum err_code check_header(struct reader *r)
{
    for (int i = 0; i < r->count; i++) {
        if (r->place[i] < 0)
            return err_set(r->err, ERR_INPUT, "%s: no column called '%s'", r->path, r->columns[i]);
    }
    return OK;
}

static void take_row(int end, void *arg)
{
    struct reader *r = arg;
    const char *cells[COLUMNS_MAX];

    (void)end;
    if (r->rc != OK)
        return;
    if (r->line == 0) {
        r->rc = check_header(r);
    } else {
        for (int i = 0; i < r->count; i++)
            cells[i] = buf_cstr(&r->text[i]);
        r->rc = r->fn(cells, r->line + 1, r->arg, r->err);
        for (int i = 0; i < r->count; i++)
            buf_reset(&r->text[i]);
    }
    r->line++;
    r->cell = 0;
}

static enum err_code parse(struct reader *r, FILE *in)
{
    struct csv_parser parser;
    char block[65536];
    size_t got;

    if (csv_init(&parser, 0) != 0)
        return err_set(r->err, ERR_LIMIT, "no memory to read %s", r->path);
    while (r->rc == OK && (got = fread(block, 1, sizeof(block), in)) > 0) {
        if (csv_parse(&parser, block, got, take_cell, take_row, r) != got)
            r->rc = err_set(r->err, ERR_INPUT, "%s: row %d: %s", r->path, r->line + 1,
                            csv_strerror(csv_error(&parser)));
    }
    csv_fini(&parser, take_cell, take_row, r);
    csv_free(&parser);
    return r->rc;
}

enum err_code table_read(const char *path, const char *const *columns, int count, table_row_fn *fn,
                         void *arg, struct err *err)
{
    struct reader r = { .path = path, .columns = columns, .count = count, .fn = fn, .arg = arg };

    r.err = err;
    for (int i = 0; i < COLUMNS_MAX; i++)
        r.place[i] = -1;
    FILE *in = fopen(path, "rb");
    if (!in)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    enum err_code rc = parse(&r, in);
    if (rc == OK && r.line == 0)
        rc = err_set(err, ERR_INPUT, "%s: empty; a header line was expected", path);
    for (int i = 0; i < count; i++)
        buf_fini(&r.text[i]);
    fclose(in);
    return rc;
}
