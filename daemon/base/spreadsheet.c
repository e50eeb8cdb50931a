/* spreadsheet.c - see spreadsheet.h. */
#include "base/spreadsheet.h"

#include <stdbool.h>
#include <string.h>

#include "base/csvfile.h"

static bool is_number(const char *cell)
{
    size_t sign = *cell == '-' || *cell == '+';
    return cell[sign] && strspn(cell + sign, "0123456789.") == strlen(cell + sign);
}

static enum err_code write_row(const struct csv_row *row, void *arg, struct err *err)
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

enum err_code spreadsheet_write(struct buf *out, const char *csv, size_t len, struct err *err)
{
    buf_str(out, "\xEF\xBB\xBF");
    enum err_code rc = csvfile_parse("the answer", csv, len, write_row, out, err);
    return rc == OK && out->failed ? err_set(err, ERR_LIMIT, "no memory for the table") : rc;
}
