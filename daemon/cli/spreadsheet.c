/* spreadsheet.c - see spreadsheet.h. */
#include "cli/spreadsheet.h"

#include <stdbool.h>
#include <string.h>

#include "base/csvfile.h"

static bool is_number(const char *cell)
{
    size_t sign = *cell == '-' || *cell == '+';
    return cell[sign] && strspn(cell + sign, "0123456789.") == strlen(cell + sign);
}

static enum err_code print_row(const struct csv_row *row, void *arg, struct err *err)
{
    struct buf *out = arg;

    (void)err;
    for (int i = 0; i < row->count; i++) {
        const char *cell = row->fields[i];
        bool is_formula = *cell && strchr("=+-@\t\r", *cell) && !is_number(cell);
        buf_str(out, i > 0 ? "," : "");
        if (!is_formula && !strpbrk(cell, ",\"\r\n")) {
            buf_str(out, cell);
            continue;
        }
        buf_str(out, is_formula ? "\"'" : "\"");
        for (; *cell; cell++) {
            buf_str(out, *cell == '"' ? "\"" : "");
            buf_char(out, *cell);
        }
        buf_char(out, '"');
    }
    buf_str(out, "\r\n");
    return OK;
}

enum err_code spreadsheet_print(FILE *to, const struct buf *csv, struct err *err)
{
    struct buf out = { 0 };

    buf_str(&out, "\xEF\xBB\xBF");
    enum err_code rc =
        csvfile_parse("the answer", csv->data ? csv->data : "", csv->len, print_row, &out, err);
    if (rc == OK && out.failed)
        rc = err_set(err, ERR_LIMIT, "no memory for the table");
    if (rc == OK)
        fwrite(out.data, 1, out.len, to);
    buf_fini(&out);
    return rc;
}
