/* gias.c - see gias.h. What the register's codes mean is in gias_phase.c. */
#include "cli/gias.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "cli/gias_phase.h"

#define NAME_BYTES_MAX 1000 /* of a text in an event */

const char *const school_field_names[SCHOOL_FIELDS] = {
    [FIELD_NAME] = "name",
    [FIELD_HUB] = "hub",
    [FIELD_EDUCATION_PHASE] = "education_phase",
    [FIELD_LA] = "la",
    [FIELD_POSTCODE] = "postcode",
    [FIELD_STATUS] = "status",
    [FIELD_PUPILS] = "pupils",
};

const char *const left_out_names[LEFT_OUT_COUNT] = {
    [LEFT_OUT_NOT] = "",
    [LEFT_OUT_NO_URN] = "no URN",
    [LEFT_OUT_FIELDS] = "not as many fields as the header",
    [LEFT_OUT_NAME] = "no usable name",
    [LEFT_OUT_STATUS] = "no known status",
    [LEFT_OUT_PHASE] = "no known phase of education",
    [LEFT_OUT_NO_HUB] = "no hub for it in --hubs",
    [LEFT_OUT_REPEATED] = "URN in an earlier row",
};

enum err_code gias_columns_find(struct gias_columns *out, const struct csv_row *header,
                                const char *path, struct err *err)
{
    struct buf missing = { 0 };

    *out = (struct gias_columns){
        .count = header->count,
        .urn = csv_column(header, "URN"),
        .name = csv_column(header, "EstablishmentName"),
        .la = csv_column(header, "LA (code)"),
        .postcode = csv_column(header, "Postcode"),
        .pupils = csv_column(header, "NumberOfPupils"),
        .open_date = csv_column(header, "OpenDate"),
        .low_age = csv_column(header, "StatutoryLowAge"),
        .high_age = csv_column(header, "StatutoryHighAge"),
        .status_code = csv_column(header, "EstablishmentStatus (code)"),
        .status_name = csv_column(header, "EstablishmentStatus (name)"),
        .phase_code = csv_column(header, "PhaseOfEducation (code)"),
        .phase_name = csv_column(header, "PhaseOfEducation (name)"),
        .type_code = csv_column(header, "TypeOfEstablishment (code)"),
        .type_name = csv_column(header, "TypeOfEstablishment (name)"),
        .group_code = csv_column(header, "EstablishmentTypeGroup (code)"),
        .group_name = csv_column(header, "EstablishmentTypeGroup (name)"),
    };
    buf_str(&missing, out->urn < 0 ? " URN" : "");
    buf_str(&missing, out->name < 0 ? " EstablishmentName" : "");
    buf_str(&missing, out->status_code < 0 && out->status_name < 0 ? " EstablishmentStatus" : "");
    enum err_code rc = OK;
    if (missing.len)
        rc = err_set(err, ERR_INPUT,
                     "%s is not the schools register: it lacks%s (there are %d columns, "
                     "the first is '%.40s')",
                     path, buf_cstr(&missing), header->count,
                     header->count ? header->fields[0] : "");
    buf_fini(&missing);
    return rc;
}

bool gias_number(char out[GIAS_NUMBER_TEXT], const char *text, int digits)
{
    size_t n;
    char *end;

    text += strspn(text, " \t");
    n = strspn(text, "0123456789");
    if (n == 0 || n > 10)
        return false;
    unsigned long long number = strtoull(text, &end, 10);
    if (*end == '.')
        end += 1 + strspn(end + 1, "0"); /* what spreadsheets and pandas make of it */
    if (end[strspn(end, " \t\r\n")])
        return false;
    snprintf(out, GIAS_NUMBER_TEXT, "%0*llu", digits, number);
    return true;
}

bool gias_date(int32_t *day, const char *text)
{
    int y = 0, m = 0, d = 0, end = 0, ry, rm, rd;
    bool is_iso = isdigit((unsigned char)text[0]) && strspn(text, "0123456789") == 4;

    if (is_iso ? sscanf(text, "%4d-%2d-%2d%n", &y, &m, &d, &end) != 3
               : sscanf(text, "%2d%*1[-/]%2d%*1[-/]%4d%n", &d, &m, &y, &end) != 3)
        return false;
    /* A time of day may follow, as in exports of databases; nothing else. */
    if (text[end] && text[end] != ' ' && text[end] != 'T')
        return false;
    if (y < 1000 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 31)
        return false;
    *day = day_from_ymd(y, m, d);
    day_to_ymd(*day, &ry, &rm, &rd);
    return rm == m && rd == d && !(y == 1900 && m == 1 && d == 1);
}

bool gias_date_of_name(int32_t *day, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *at = slash ? slash + 1 : path;

    while (*at) {
        size_t n = strspn(at, "0123456789");
        char iso[DAY_TEXT];
        if (n == 8 && (!strncmp(at, "19", 2) || !strncmp(at, "20", 2))) {
            snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2s", at, at + 4, at + 6);
            if (gias_date(day, iso))
                return true;
        }
        at += n ? n : 1;
    }
    return false;
}

/* A copy with each run of white space (line ends inside quotes too) as one space, none at the
 * ends. */
static char *squeeze(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);
    size_t n = 0;

    if (!copy)
        return NULL;
    for (const char *p = text; *p; p++) {
        bool is_space = (unsigned char)*p <= ' ' || *p == 0x7f;
        if (!is_space)
            copy[n++] = *p;
        else if (n && copy[n - 1] != ' ')
            copy[n++] = ' ';
    }
    if (n && copy[n - 1] == ' ')
        n--;
    copy[n] = '\0';
    return copy;
}

/* Of a code like a postcode: capitals, NULL when blank. */
static const char *read_postcode(struct arena *arena, const char *text)
{
    char *copy = squeeze(arena, text);

    if (!copy || !*copy || strlen(copy) > NAME_BYTES_MAX)
        return NULL;
    for (char *p = copy; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return copy;
}

static const char *read_number(struct arena *arena, const char *text, int digits)
{
    char number[GIAS_NUMBER_TEXT];

    return gias_number(number, text, digits) ? arena_strdup(arena, number) : NULL;
}

static int read_age(const struct csv_row *row, int column)
{
    char number[GIAS_NUMBER_TEXT];

    return gias_number(number, csv_field(row, column), 1) ? atoi(number) : -1;
}

static enum left_out read_kind(struct school *out, const struct gias_columns *c,
                               const struct csv_row *row, char why[WHY_TEXT])
{
    const struct gias_kind kind = {
        .phase_code = csv_field(row, c->phase_code),
        .phase_name = csv_field(row, c->phase_name),
        .type_code = csv_field(row, c->type_code),
        .type_name = csv_field(row, c->type_name),
        .group_code = csv_field(row, c->group_code),
        .group_name = csv_field(row, c->group_name),
        .low_age = read_age(row, c->low_age),
        .high_age = read_age(row, c->high_age),
    };
    const char *code = csv_field(row, c->status_code), *name = csv_field(row, c->status_name);

    out->values[FIELD_STATUS] = gias_status(code, name);
    if (!out->values[FIELD_STATUS]) {
        snprintf(why, WHY_TEXT,
                 "the status is '%.40s' '%.80s': expected 1 Open, 2 Closed, 3 Open, but "
                 "proposed to close, or 4 Proposed to open",
                 code, name);
        return LEFT_OUT_STATUS;
    }
    out->is_phase_guessed = !kind.phase_code[0] && !kind.phase_name[0];
    out->values[FIELD_EDUCATION_PHASE] = gias_phase(&kind);
    if (!out->values[FIELD_EDUCATION_PHASE]) {
        snprintf(why, WHY_TEXT, "the phase of education is '%.40s' '%.80s', which is not known",
                 kind.phase_code, kind.phase_name);
        return LEFT_OUT_PHASE;
    }
    return LEFT_OUT_NOT;
}

enum left_out gias_read(struct school *out, struct arena *arena, const struct gias_columns *c,
                        const struct csv_row *row, char why[WHY_TEXT])
{
    memset(out, 0, sizeof(*out));
    if (row->count != c->count) {
        snprintf(why, WHY_TEXT, "%d fields where the header has %d", row->count, c->count);
        return LEFT_OUT_FIELDS;
    }
    out->urn = read_number(arena, csv_field(row, c->urn), 1);
    if (!out->urn) {
        snprintf(why, WHY_TEXT, "the URN is '%.40s': expected a number", csv_field(row, c->urn));
        return LEFT_OUT_NO_URN;
    }
    out->values[FIELD_NAME] = squeeze(arena, csv_field(row, c->name));
    if (!out->values[FIELD_NAME] || !*out->values[FIELD_NAME] ||
        strlen(out->values[FIELD_NAME]) > NAME_BYTES_MAX) {
        snprintf(why, WHY_TEXT, "school %s: the name is '%.40s': expected 1 to %d bytes", out->urn,
                 csv_field(row, c->name), NAME_BYTES_MAX);
        return LEFT_OUT_NAME;
    }
    out->values[FIELD_LA] = read_number(arena, csv_field(row, c->la), 3);
    out->values[FIELD_POSTCODE] = read_postcode(arena, csv_field(row, c->postcode));
    out->values[FIELD_PUPILS] = read_number(arena, csv_field(row, c->pupils), 1);
    out->has_open_day = gias_date(&out->open_day, csv_field(row, c->open_date));
    return read_kind(out, c, row, why);
}
