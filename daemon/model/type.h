/*
 * type.h - the types that a pack declares for event data and for facts.
 *
 * Types are built once, when a pack is loaded, in that pack's arena, and are
 * read-only from then on.
 */
#ifndef PATHWAY_TYPE_H
#define PATHWAY_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

enum type_kind {
    /* scalars */
    TYPE_TEXT, /* a string without control characters, 1 to 1,000 bytes (or to `max`) */
    TYPE_BOOL,
    TYPE_INT,    /* a whole number from min to max */
    TYPE_NUMBER, /* a finite number */
    TYPE_TIME,   /* RFC 3339 instant */
    TYPE_DATE,   /* YYYY-MM-DD */
    TYPE_YEAR,   /* an academic year, "2024/25" */
    TYPE_ENUM,   /* one of `values` */
    TYPE_PERSON, /* a key: 1 to 64 of a-z 0-9 . _ -; never a name or address */
    TYPE_NOTE,   /* free text of lines, up to 10,000 bytes; kept beside the log, rules cannot read
                    it */
    TYPE_SCHOOL, /* "school/100001"; touches that school */
    TYPE_GROUP,  /* "group/CODE"; touches that group */
    TYPE_HUB,    /* a hub's code, "07" */
    /* containers */
    TYPE_SET,  /* different values of scalar type `of`; a JSON array (repeats are allowed and count
                  once) */
    TYPE_LIST, /* values of type `of`, in order */
    TYPE_MAP,  /* scalar `key` (never a number, true or false, or a note) to `of`; a JSON object */
    TYPE_ROW,  /* named `fields` */
};

struct type;
struct type_field {
    const char *name;
    const struct type *type;
    bool is_optional;
};

struct type {
    enum type_kind kind;
    int64_t min, max;          /* TYPE_INT; TYPE_TEXT: most bytes, 0 for 1,000 */
    const char *const *values; /* TYPE_ENUM */
    uint32_t value_count;
    const struct type *key;          /* TYPE_MAP */
    const struct type *of;           /* TYPE_SET, TYPE_LIST, TYPE_MAP */
    const struct type_field *fields; /* TYPE_ROW */
    uint32_t field_count;
};

/* "text", "person", "one of a, b, c" ...: for messages; written into out. */
const char *type_describe(const struct type *t, char *out, size_t size);
bool type_is_scalar(const struct type *t);
/* The field of a TYPE_ROW called `name`, or NULL. */
const struct type_field *type_field(const struct type *row, const char *name);

/*
 * Check a JSON value against a type. ERR_INPUT: the message begins with `path` ("data.teacher",
 * grown for nested places: "data.attendance['school/1'][0]"), says what was found, what was
 * expected and the nearest known name, and for a person what to do ("use a key ...").
 */
MUST_CHECK enum err_code type_check(const struct type *t, const struct json *value,
                                    const char *path, struct err *err);

/* Call `fn` with each school and group that the value's fields hold (map keys included), as often
 * as it occurs. The value must have passed type_check(). */
typedef void type_subject_fn(const char *subject, void *arg);
void type_subjects(const struct type *t, const struct json *value, type_subject_fn *fn, void *arg);

/* What a check comes across. Of a value that turns out to be wrong, only some of it. */
struct type_finds {
    type_subject_fn *subject; /* called as type_subjects() calls it */
    void *arg;
    bool has_notes; /* set when there is one */
};
/* type_check() and type_subjects() in one walk. */
MUST_CHECK enum err_code type_check_finding(const struct type *t, const struct json *value,
                                            const char *path, struct type_finds *finds,
                                            struct err *err);

#endif
