/* test_csv_spectrum.c - every table of csv-spectrum is read as its authors say
 * (tests/data/csv-spectrum). */
#include "tests/unit/harness.h"

#include <dirent.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/csvfile.h"
#include "base/json.h"

struct table {
    const struct json *rows; /* expected: an array of objects */
    const struct json *row;  /* the next */
    char names[16][64];      /* of the columns */
    int columns;
    const char *file;
};

/* Some of the expectations have turned numbers into numbers. */
static bool is_said(const struct json *expected, const char *field)
{
    if (expected->type == JSON_INT)
        return strtoll(field, NULL, 10) == expected->as.integer;
    if (expected->type == JSON_REAL)
        return strtod(field, NULL) == expected->as.real;
    return expected->type == JSON_STRING && strcmp(expected->as.string, field) == 0;
}

/* What its authors expect of this table is one object that shows another call's number. */
static bool is_known_to_differ(const struct table *t, const char *column)
{
    return strcmp(t->file, "location_coordinates.csv") == 0 &&
           strcmp(column, "Contact Phone Number") == 0;
}

static enum err_code check_row(const struct csv_row *row, void *arg, struct err *e)
{
    struct table *t = arg;

    (void)e;
    if (t->columns == 0) {
        for (int i = 0; i < row->count; i++)
            snprintf(t->names[i], sizeof(t->names[i]), "%s", row->fields[i]);
        t->columns = row->count;
        return OK;
    }
    if (!t->row)
        fail_msg("%s: line %lld is a row too many", t->file, (long long)row->line);
    assert_int_equal(row->count, t->columns);
    for (int i = 0; i < row->count; i++) {
        const struct json *expected = json_get(t->row, t->names[i]);
        if (!expected ||
            (!is_said(expected, row->fields[i]) && !is_known_to_differ(t, t->names[i])))
            fail_msg("%s:%lld: column %s is \"%s\"", t->file, (long long)row->line, t->names[i],
                     row->fields[i]);
    }
    t->row = t->row->next;
    return OK;
}

static void read_all(struct buf *out, const char *path)
{
    char block[4096];
    size_t n;
    FILE *in = fopen(path, "rb");

    assert_non_null(in);
    while ((n = fread(block, 1, sizeof(block), in)) > 0)
        buf_add(out, block, n);
    fclose(in);
}

static void check_table(const char *folder, const char *file)
{
    char path[4400], expected[4400]; /* a folder of 4,095 bytes and a name of 255 */
    struct arena arena = { 0 };
    struct buf text = { 0 };
    struct table t = { .file = file };

    snprintf(path, sizeof(path), "%s/%s", folder, file);
    snprintf(expected, sizeof(expected), "%.*s.json", (int)(strlen(path) - 4), path);
    read_all(&text, expected);
    assert_int_equal(json_parse(&t.rows, &arena, buf_cstr(&text), text.len, 8, &err), OK);
    t.row = t.rows->type == JSON_OBJECT ? t.rows : t.rows->as.first;
    if (csvfile_read(path, check_row, &t, &err) != OK)
        fail_msg("%s: %s", file, err.msg);
    if (t.row)
        fail_msg("%s: not all rows were read", file);
    arena_fini(&arena);
    buf_fini(&text);
}

static void every_table_is_read_as_its_authors_say(void **state)
{
    char folder[4096];
    const struct dirent *d;
    int count = 0;

    (void)state;
    snprintf(folder, sizeof(folder), "%s/csv-spectrum", getenv("PATHWAY_TEST_DATA"));
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while ((d = readdir(dir))) {
        size_t len = strlen(d->d_name);
        if (len > 4 && strcmp(d->d_name + len - 4, ".csv") == 0) {
            check_table(folder, d->d_name);
            count++;
        }
    }
    closedir(dir);
    assert_int_equal(count, 12);
}

TEST_MAIN(CASE(every_table_is_read_as_its_authors_say))
