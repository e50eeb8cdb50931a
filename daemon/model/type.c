/* type.c - see type.h. How types read to people; walking values by type. Checks: type_check.c. */
#include "model/type.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

bool type_is_scalar(const struct type *t)
{
    return t->kind < TYPE_SET;
}

const struct type_field *type_field(const struct type *row, const char *name)
{
    for (uint32_t i = 0; i < row->field_count; i++) {
        const char *known = row->fields[i].name;
        if (known[0] == name[0] && strcmp(known, name) == 0)
            return &row->fields[i];
    }
    return NULL;
}

static void describe_int(struct buf *b, const struct type *t)
{
    buf_str(b, "a whole number");
    if (t->min > INT64_MIN && t->max < INT64_MAX)
        buf_printf(b, " from %" PRId64 " to %" PRId64, t->min, t->max);
    else if (t->min > INT64_MIN)
        buf_printf(b, " of at least %" PRId64, t->min);
    else if (t->max < INT64_MAX)
        buf_printf(b, " of at most %" PRId64, t->max);
}

static void describe_enum(struct buf *b, const struct type *t)
{
    buf_str(b, t->value_count == 1 ? "" : "one of ");
    for (uint32_t i = 0; i < t->value_count; i++)
        buf_printf(b, "%s%s", i > 0 ? ", " : "", t->values[i]);
}

static void describe_row(struct buf *b, const struct type *t)
{
    buf_str(b, "an object");
    for (uint32_t i = 0; i < t->field_count; i++)
        buf_printf(b, "%s%s%s", i > 0 ? ", " : " with ", t->fields[i].name,
                   t->fields[i].is_optional ? "?" : "");
}

static const char *describe_plain(enum type_kind kind)
{
    switch (kind) {
    case TYPE_BOOL:
        return "true or false";
    case TYPE_NUMBER:
        return "a number";
    case TYPE_TIME:
        return "an RFC 3339 time such as 2026-11-21T09:30:00Z";
    case TYPE_DATE:
        return "a date such as 2026-11-21";
    case TYPE_YEAR:
        return "an academic year such as 2024/25";
    case TYPE_PERSON:
        return "a person's key";
    case TYPE_NOTE:
        return "a note, text of up to 10,000 bytes";
    case TYPE_SCHOOL:
        return "a school such as school/100001";
    case TYPE_GROUP:
        return "a group such as group/h07-dev-2024";
    case TYPE_HUB:
        return "a hub's code such as 07";
    case TYPE_TEXT:
    case TYPE_INT:
    case TYPE_ENUM:
    case TYPE_SET:
    case TYPE_LIST:
    case TYPE_MAP:
    case TYPE_ROW:
        break;
    }
    return "text";
}

static void describe(struct buf *b, const struct type *t)
{
    if (t->kind == TYPE_INT) {
        describe_int(b, t);
    } else if (t->kind == TYPE_ENUM) {
        describe_enum(b, t);
    } else if (t->kind == TYPE_SET || t->kind == TYPE_LIST) {
        buf_str(b, "a list, each item ");
        describe(b, t->of);
    } else if (t->kind == TYPE_MAP) {
        buf_str(b, "an object, each name ");
        describe(b, t->key);
        buf_str(b, ", each value ");
        describe(b, t->of);
    } else if (t->kind == TYPE_ROW) {
        describe_row(b, t);
    } else {
        buf_str(b, describe_plain(t->kind));
    }
}

const char *type_describe(const struct type *t, char *out, size_t size)
{
    struct buf b = { 0 };

    if (size == 0)
        return out;
    describe(&b, t);
    if (b.len < size)
        memcpy(out, buf_cstr(&b), b.len + 1);
    else
        snprintf(out, size, "%.*s...", size > 4 ? (int)size - 4 : 0, buf_cstr(&b));
    buf_fini(&b);
    return out;
}

void type_subjects(const struct type *t, const struct json *value, type_subject_fn *fn, void *arg)
{
    if (t->kind == TYPE_SCHOOL || t->kind == TYPE_GROUP) {
        fn(value->as.string, arg);
        return;
    }
    if (type_is_scalar(t))
        return;
    for (const struct json *item = value->as.first; item; item = item->next) {
        const struct type_field *field = t->kind == TYPE_ROW ? type_field(t, item->name) : NULL;
        if (t->kind == TYPE_MAP && (t->key->kind == TYPE_SCHOOL || t->key->kind == TYPE_GROUP))
            fn(item->name, arg);
        if (field)
            type_subjects(field->type, item, fn, arg);
        else if (t->kind != TYPE_ROW)
            type_subjects(t->of, item, fn, arg);
    }
}
