/* type_check.c - see type.h. A wrong value is quoted only in part: it may be long, or private. */
#include "model/type.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/text.h"
#include "model/path.h"
#include "model/subject.h"

#define QUOTED    60 /* bytes of what was found that a message repeats */
#define TEXT_MAX  1000
#define NOTE_MAX  10000
#define KEY_MAX   64
#define NAMES_MAX 64 /* so many field names are looked through for a hint */

/* `finds` is NULL when nobody asks. */
static enum err_code check(const struct type *t, const struct json *value, const struct path *path,
                           struct type_finds *finds, struct err *err);

/* -- saying what is wrong -------------------------------------------------------------------- */

/* "PATH: " before the sentence in `err`. */
static enum err_code placed(const struct path *path, struct err *err)
{
    struct buf b = { 0 };

    path_write(&b, path, QUOTED);
    enum err_code rc = err_at(err, "%s", buf_cstr(&b));
    buf_fini(&b);
    return rc;
}

/* "PATH: found X, expected Y" and what `more` adds. */
static enum err_code mismatch(const struct type *t, const struct json *value,
                              const struct path *path, const char *more, struct err *err)
{
    char found[QUOTED], expected[400];

    enum err_code rc =
        err_set(err, ERR_INPUT, "found %s, expected %s%s", json_brief(value, found, sizeof(found)),
                type_describe(t, expected, sizeof(expected)), more);
    return err ? placed(path, err) : rc;
}

/* -- scalars --------------------------------------------------------------------------------- */

/* Notes may have lines and tabs, and nothing else that does not print. */
static bool is_note(const char *s, size_t len)
{
    if (len > NOTE_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (((unsigned char)s[i] < 0x20 && s[i] != '\n' && s[i] != '\r' && s[i] != '\t') ||
            s[i] == 0x7f)
            return false;
    }
    return true;
}

static bool is_person(const char *s, size_t len)
{
    if (len < 1 || len > KEY_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '.' ||
              s[i] == '_' || s[i] == '-'))
            return false;
    }
    return true;
}

static enum err_code check_text(const struct type *t, const struct json *value,
                                const struct path *path, struct err *err)
{
    size_t most = t->max > 0 ? (size_t)t->max : TEXT_MAX;
    char more[96];

    if (value->len == 0)
        return mismatch(t, value, path, " of at least one byte", err);
    if (value->len > most) {
        snprintf(more, sizeof(more), " of at most %zu bytes, not %" PRIu32, most, value->len);
        return mismatch(t, value, path, more, err);
    }
    if (!text_is_printable(value->as.string, value->len))
        return mismatch(t, value, path, " without control characters and line breaks", err);
    return OK;
}

static enum err_code check_enum(const struct type *t, const struct json *value,
                                const struct path *path, struct err *err)
{
    char hint[128];

    for (uint32_t i = 0; i < t->value_count; i++) {
        if (t->values[i][0] == value->as.string[0] && json_is_string(value, t->values[i]))
            return OK;
    }
    text_hint(hint, sizeof(hint), value->as.string, t->values, t->value_count);
    return mismatch(t, value, path, hint, err);
}

static enum err_code check_subject(const struct type *t, const struct json *value,
                                   const struct path *path, struct type_finds *finds,
                                   struct err *err)
{
    enum subject_kind want = t->kind == TYPE_SCHOOL ? SUBJECT_SCHOOL : SUBJECT_GROUP;
    enum subject_kind kind;
    char more[128] = "";

    if (subject_parse(&kind, value->as.string, value->len, NULL) == OK && kind == want) {
        if (finds)
            finds->subject(value->as.string, finds->arg);
        return OK;
    }
    if (subject_code_is_valid(want, value->as.string, value->len))
        snprintf(more, sizeof(more), "; did you mean \"%s/%s\"?", subject_kind_name(want),
                 value->as.string);
    return mismatch(t, value, path, more, err);
}

static enum err_code check_calendar(const struct type *t, const struct json *value,
                                    const struct path *path, struct err *err)
{
    enum err_code rc;
    int64_t time;
    int32_t day;
    int year;

    if (t->kind == TYPE_TIME)
        rc = time_parse(&time, value->as.string, value->len, err);
    else if (t->kind == TYPE_DATE)
        rc = day_parse(&day, value->as.string, value->len, err);
    else
        rc = year_parse(&year, value->as.string, value->len, err);
    return rc == OK || !err ? rc : placed(path, err);
}

/* A string against a type whose values are strings: of a value, or of a name in a map. */
static enum err_code check_string(const struct type *t, const struct json *value,
                                  const struct path *path, struct type_finds *finds,
                                  struct err *err)
{
    switch (t->kind) {
    case TYPE_TEXT:
        return check_text(t, value, path, err);
    case TYPE_ENUM:
        return check_enum(t, value, path, err);
    case TYPE_TIME:
    case TYPE_DATE:
    case TYPE_YEAR:
        return check_calendar(t, value, path, err);
    case TYPE_SCHOOL:
    case TYPE_GROUP:
        return check_subject(t, value, path, finds, err);
    case TYPE_HUB:
        if (subject_code_is_valid(SUBJECT_HUB, value->as.string, value->len))
            return OK;
        return mismatch(t, value, path, " (1 to 64 of A-Z a-z 0-9 . _ -)", err);
    case TYPE_NOTE:
        if (is_note(value->as.string, value->len)) {
            if (finds)
                finds->has_notes = true;
            return OK;
        }
        return mismatch(t, value, path, " without control characters", err);
    case TYPE_PERSON:
        if (is_person(value->as.string, value->len))
            return OK;
        return mismatch(t, value, path,
                        " (1 to 64 of a-z 0-9 . _ -): keep names and addresses out of the log:"
                        " choose a key and store the name with `pathway person set KEY`",
                        err);
    case TYPE_BOOL:
    case TYPE_INT:
    case TYPE_NUMBER:
    case TYPE_SET:
    case TYPE_LIST:
    case TYPE_MAP:
    case TYPE_ROW:
        break;
    }
    return mismatch(t, value, path, "", err);
}

/* -- containers ------------------------------------------------------------------------------ */

static enum err_code check_list(const struct type *t, const struct json *value,
                                const struct path *path, struct type_finds *finds, struct err *err)
{
    struct path place = { .up = path, .step = PATH_INDEX };
    enum err_code rc = OK;

    for (const struct json *item = value->as.first; item && rc == OK; item = item->next) {
        rc = check(t->of, item, &place, finds, err);
        place.index++;
    }
    return rc;
}

static enum err_code check_map(const struct type *t, const struct json *value,
                               const struct path *path, struct type_finds *finds, struct err *err)
{
    enum err_code rc = OK;

    for (const struct json *item = value->as.first; item && rc == OK; item = item->next) {
        const struct path place = { .up = path, .step = PATH_KEY, .name = item->name };
        const struct json name = { .type = JSON_STRING,
                                   .len = (uint32_t)strlen(item->name),
                                   .as.string = item->name };
        rc = check_string(t->key, &name, &place, finds, err);
        if (rc == OK)
            rc = check(t->of, item, &place, finds, err);
    }
    return rc;
}

static enum err_code unknown_field(const struct type *t, const struct path *place, struct err *err)
{
    const char *names[NAMES_MAX] = { 0 };
    uint32_t count = t->field_count < NAMES_MAX ? t->field_count : NAMES_MAX;
    char hint[128], expected[400];

    for (uint32_t i = 0; i < count; i++)
        names[i] = t->fields[i].name;
    text_hint(hint, sizeof(hint), place->name, names, count);
    if (hint[0])
        err_set(err, ERR_INPUT, "unknown field%s", hint);
    else
        err_set(err, ERR_INPUT, "unknown field, expected %s%s",
                type_describe(t, expected, sizeof(expected)), count == 0 ? " without fields" : "");
    return err ? placed(place, err) : ERR_INPUT;
}

static enum err_code missing_field(const struct type_field *field, const struct path *place,
                                   struct err *err)
{
    char expected[400];

    err_set(err, ERR_INPUT, "missing, expected %s",
            type_describe(field->type, expected, sizeof(expected)));
    return err ? placed(place, err) : ERR_INPUT;
}

static enum err_code check_field(const struct type_field *field, const struct json *item,
                                 const struct path *place, struct type_finds *finds,
                                 struct err *err)
{
    if (item->type == JSON_NULL && field->is_optional)
        return mismatch(field->type, item, place, ": leave the field out when it has no value",
                        err);
    return check(field->type, item, place, finds, err);
}

/* Unknown names first: a misspelt field is missing too, but its name tells more. */
static enum err_code check_row(const struct type *t, const struct json *value,
                               const struct path *path, struct type_finds *finds, struct err *err)
{
    uint64_t seen = 0; /* a bit for each of the first 64 fields */

    for (const struct json *item = value->as.first; item; item = item->next) {
        const struct path place = { .up = path, .step = PATH_FIELD, .name = item->name };
        const struct type_field *field = type_field(t, item->name);
        if (!field)
            return unknown_field(t, &place, err);
        enum err_code rc = check_field(field, item, &place, finds, err);
        if (rc != OK)
            return rc;
        if (field - t->fields < 64)
            seen |= UINT64_C(1) << (field - t->fields);
    }
    for (uint32_t i = 0; i < t->field_count; i++) {
        const struct path place = { .up = path, .step = PATH_FIELD, .name = t->fields[i].name };
        if (t->fields[i].is_optional || (i < 64 && seen >> i & 1))
            continue;
        if (!json_get(value, t->fields[i].name))
            return missing_field(&t->fields[i], &place, err);
    }
    return OK;
}

static enum err_code check_int(const struct type *t, const struct json *value,
                               const struct path *path, struct err *err)
{
    if (value->type == JSON_INT && value->as.integer >= t->min && value->as.integer <= t->max)
        return OK;
    return mismatch(t, value, path, "", err);
}

static enum err_code check(const struct type *t, const struct json *value, const struct path *path,
                           struct type_finds *finds, struct err *err)
{
    enum json_type want = JSON_STRING;

    switch (t->kind) {
    case TYPE_INT:
        return check_int(t, value, path, err);
    case TYPE_NUMBER:
        return value->type == JSON_INT || value->type == JSON_REAL
                   ? OK
                   : mismatch(t, value, path, "", err);
    case TYPE_BOOL:
        return value->type == JSON_BOOL ? OK : mismatch(t, value, path, "", err);
    case TYPE_SET:
    case TYPE_LIST:
        want = JSON_ARRAY;
        break;
    case TYPE_MAP:
    case TYPE_ROW:
        want = JSON_OBJECT;
        break;
    case TYPE_TEXT:
    case TYPE_TIME:
    case TYPE_DATE:
    case TYPE_YEAR:
    case TYPE_ENUM:
    case TYPE_PERSON:
    case TYPE_NOTE:
    case TYPE_SCHOOL:
    case TYPE_GROUP:
    case TYPE_HUB:
        break;
    }
    if (value->type != want)
        return mismatch(t, value, path, "", err);
    if (want == JSON_STRING)
        return check_string(t, value, path, finds, err);
    if (want == JSON_ARRAY)
        return check_list(t, value, path, finds, err);
    return t->kind == TYPE_MAP ? check_map(t, value, path, finds, err)
                               : check_row(t, value, path, finds, err);
}

enum err_code type_check(const struct type *t, const struct json *value, const char *path,
                         struct err *err)
{
    const struct path root = { .step = PATH_ROOT, .name = path };
    return check(t, value, &root, NULL, err);
}

enum err_code type_check_finding(const struct type *t, const struct json *value, const char *path,
                                 struct type_finds *finds, struct err *err)
{
    const struct path root = { .step = PATH_ROOT, .name = path };
    return check(t, value, &root, finds, err);
}
