/*
 * gias.h - a row of the schools register ("edubasealldata" of Get Information about Schools) as a
 * school.
 *
 * Only what the events of a school hold is read; the columns with personal data (the headteacher's
 * name and title, telephone) are not looked at.
 */
#ifndef PATHWAY_CLI_GIAS_H
#define PATHWAY_CLI_GIAS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/csvfile.h"

/* What an event can hold of a school, in the order in which it is written. */
enum school_field {
    FIELD_NAME,
    FIELD_HUB,
    FIELD_EDUCATION_PHASE,
    FIELD_LA,
    FIELD_POSTCODE,
    FIELD_STATUS,
    FIELD_PUPILS,
};
#define SCHOOL_FIELDS 7
extern const char *const school_field_names[SCHOOL_FIELDS];

struct school {
    const char *urn;
    const char
        *values[SCHOOL_FIELDS]; /* as text; NULL: not known, or not in this file. No hub yet. */
    int32_t open_day;
    bool has_open_day;
    bool is_phase_guessed; /* the row has none: from the ages, good for a first registration only */
};

/* Where the columns are; -1: not in this file. */
struct gias_columns {
    int count;
    int urn, name, la, postcode, pupils, open_date, low_age, high_age;
    int status_code, status_name, phase_code, phase_name, type_code, type_name, group_code,
        group_name;
};
/* ERR_INPUT: a column is missing without which a row can not be understood (all such are named). */
MUST_CHECK enum err_code gias_columns_find(struct gias_columns *out, const struct csv_row *header,
                                           const char *path, struct err *err);

/* Why a row is left out. */
enum left_out {
    LEFT_OUT_NOT,
    LEFT_OUT_NO_URN,
    LEFT_OUT_FIELDS, /* more or fewer than the header */
    LEFT_OUT_NAME,
    LEFT_OUT_STATUS,
    LEFT_OUT_PHASE,
    LEFT_OUT_NO_HUB,
    LEFT_OUT_REPEATED,
};
#define LEFT_OUT_COUNT 8
extern const char *const left_out_names[LEFT_OUT_COUNT]; /* for the summary */

#define WHY_TEXT 256
/* Read a row; what `out` points at is the arena's. Anything but LEFT_OUT_NOT: `why` says it
 * with the value. */
enum left_out gias_read(struct school *out, struct arena *arena, const struct gias_columns *columns,
                        const struct csv_row *row, char why[WHY_TEXT]);

/* "850", "850.0" and " 850 " as 850, with zeros in front up to `digits`. False: it is no whole
 * number. */
#define GIAS_NUMBER_TEXT 16
bool gias_number(char out[GIAS_NUMBER_TEXT], const char *text, int digits);
/* dd-mm-yyyy, dd/mm/yyyy or ISO. False: none, or 01-01-1900, which the register writes for
 * "unknown". */
bool gias_date(int32_t *day, const char *text);
/* The date of an extract in a file's name: edubasealldata20250422.csv. */
bool gias_date_of_name(int32_t *day, const char *path);

#endif
