/* csv_mapping.c - which column is what: see csv_events.h. */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "engine/csv_internal.h"

#define DEFAULT_SOURCE "urn:pathwayd:csv"

static enum err_code find_column(struct csv_place *p, const struct csv_row *header,
                                 const char *file, struct err *err)
{
    char hint[160];

    p->at = csv_column(header, p->column);
    for (int i = p->at + 1; p->at >= 0 && i < header->count; i++)
        if (strcasecmp(csv_field(header, i), csv_field(header, p->at)) == 0)
            return err_set(err, ERR_INPUT,
                           "%s: there are two columns '%s', %d and %d: which is meant "
                           "(for %s)? Give one another name",
                           file, p->column, p->at + 1, i + 1, p->target);
    if (p->at >= 0)
        return OK;
    return err_set(err, ERR_INPUT, "%s: there is no column '%s' (for %s)%s", file, p->column,
                   p->target,
                   text_hint(hint, sizeof(hint), p->column, header->fields, (size_t)header->count));
}

static struct csv_place *add_place(struct csv_plan *plan, const char *target,
                                   const struct type *type)
{
    if (plan->count == PLACES_MAX)
        return NULL;
    plan->places[plan->count] = (struct csv_place){ .target = target, .type = type, .at = -1 };
    return &plan->places[plan->count++];
}

static enum err_code bad_place(const char *target, struct err *err)
{
    return err_set(err, ERR_INPUT,
                   "mapping: %s: expected a column's name, or an object with \"column\" or "
                   "\"value\", and perhaps \"words\"",
                   target);
}

/* "URN", or {"column": "URN"}, {"value": "x"}. */
static enum err_code read_place(struct csv_plan *plan, const char *target, const struct type *type,
                                const struct json *said, struct err *err)
{
    struct csv_place *p = add_place(plan, target, type);

    if (!p)
        return err_set(err, ERR_INPUT, "mapping: more than %d places", PLACES_MAX);
    if (said->type == JSON_STRING) {
        p->column = said->as.string;
        return OK;
    }
    if (said->type != JSON_OBJECT)
        return bad_place(target, err);
    for (const struct json *m = said->as.first; m; m = m->next) {
        if (strcmp(m->name, "words") == 0 && m->type == JSON_OBJECT)
            p->words = m;
        else if (strcmp(m->name, "column") == 0 && m->type == JSON_STRING)
            p->column = m->as.string;
        else if (strcmp(m->name, "value") == 0 && m->type == JSON_STRING)
            p->value = m->as.string;
        else
            return bad_place(target, err);
    }
    return !p->column == !p->value ? bad_place(target, err) : OK;
}

static enum err_code read_data(struct csv_plan *plan, const struct json *data, struct err *err)
{
    const char *names[PLACES_MAX];
    size_t count = 0;
    char hint[160];

    if (data->type != JSON_OBJECT)
        return err_set(err, ERR_INPUT, "mapping: data: found %s, expected an object of fields",
                       json_type_name(data));
    for (uint32_t i = 0; i < plan->type->data->field_count && count < PLACES_MAX; i++)
        names[count++] = plan->type->data->fields[i].name;
    for (const struct json *m = data->as.first; m; m = m->next) {
        const struct type_field *field = type_field(plan->type->data, m->name);
        if (!field)
            return err_set(err, ERR_INPUT, "mapping: data: %s has no field '%s'%s",
                           plan->type->name, m->name,
                           text_hint(hint, sizeof(hint), m->name, names, count));
        if (read_place(plan, field->name, field->type, m, err) != OK)
            return err->code;
    }
    return OK;
}

static enum err_code read_mapping(struct csv_plan *plan, const struct json *mapping,
                                  struct err *err)
{
    static const char *const KNOWN[] = { "type", "source",   "subject", "time",
                                         "id",   "sequence", "data" };
    char hint[120];
    enum err_code rc = OK;

    for (const struct json *m = mapping->as.first; m && rc == OK; m = m->next) {
        if (strcmp(m->name, "data") == 0)
            rc = read_data(plan, m, err);
        else if (strcmp(m->name, "type") == 0 || strcmp(m->name, "source") == 0)
            rc = m->type == JSON_STRING
                     ? OK
                     : err_set(err, ERR_INPUT, "mapping: %s: expected a text", m->name);
        else if (strcmp(m->name, "subject") == 0 || strcmp(m->name, "time") == 0 ||
                 strcmp(m->name, "id") == 0 || strcmp(m->name, "sequence") == 0)
            rc = read_place(plan, m->name, NULL, m, err);
        else
            rc = err_set(err, ERR_INPUT, "mapping: unknown '%s'%s", m->name,
                         text_hint(hint, sizeof(hint), m->name, KNOWN, 7));
    }
    const struct json *source = json_get(mapping, "source");
    plan->source = source ? source->as.string : DEFAULT_SOURCE;
    return rc;
}

static void take_name(struct csv_plan *plan, const struct csv_row *header, const char *target,
                      const struct type *type, const char *name)
{
    struct csv_place *p = csv_column(header, name) >= 0 ? add_place(plan, target, type) : NULL;
    if (p)
        p->column = name;
}

static bool has(const struct csv_plan *plan, const char *target)
{
    for (int i = 0; i < plan->count; i++)
        if (!plan->places[i].type && strcmp(plan->places[i].target, target) == 0)
            return true;
    return false;
}

static void take_names(struct csv_plan *plan, const struct csv_row *header)
{
    plan->source = DEFAULT_SOURCE;
    take_name(plan, header, "subject", NULL, "subject");
    if (!has(plan, "subject"))
        take_name(plan, header, "subject", NULL, "urn");
    take_name(plan, header, "time", NULL, "time");
    if (!has(plan, "time"))
        take_name(plan, header, "time", NULL, "date");
    take_name(plan, header, "id", NULL, "id");
    for (uint32_t i = 0; i < plan->type->data->field_count; i++) {
        const struct type_field *f = &plan->type->data->fields[i];
        take_name(plan, header, f->name, f->type, f->name);
    }
}

static void tell_unused(const struct csv_plan *plan, const struct csv_events *c,
                        const struct csv_row *header)
{
    for (int i = 0; i < header->count && c->unused; i++) {
        bool is_used = false;
        for (int k = 0; k < plan->count && !is_used; k++)
            is_used = plan->places[k].at == i;
        if (!is_used && *csv_field(header, i))
            c->unused(csv_field(header, i), c->arg);
    }
}

/* Nothing says where the subject, or the time, is. */
static enum err_code no_place(const struct csv_events *c, const struct csv_row *header,
                              const char *target, const char *names, struct err *err)
{
    const char *first = csv_field(header, 0);
    const char *other = header->count > 1     ? NULL
                        : strchr(first, ';')  ? "semicolons"
                        : strchr(first, '\t') ? "tabs"
                                              : NULL;

    if (other)
        return err_set(err, ERR_INPUT, "%s: its columns are set off by %s, expected commas",
                       c->name, other);
    return err_set(err, ERR_INPUT, "%s: no column says the %s; name it %s, or say so in a mapping",
                   c->name, target, names);
}

enum err_code csv_plan_make(struct csv_plan *out, const struct csv_events *c, struct arena *arena,
                            const struct csv_row *header, struct err *err)
{
    const struct json *said = json_get(c->mapping, "type");
    const char *type = c->type                             ? c->type
                       : said && said->type == JSON_STRING ? said->as.string
                                                           : NULL;
    char hint[160];
    enum err_code rc = OK;

    (void)arena;
    *out = (struct csv_plan){ 0 };
    if (c->mapping && c->mapping->type != JSON_OBJECT)
        return err_set(err, ERR_INPUT, "mapping: found %s, expected an object",
                       json_type_name(c->mapping));
    if (!type)
        return c->mapping ? err_set(err, ERR_INPUT,
                                    "mapping: there is no \"type\": of what type are the events?")
                          : err_set(err, ERR_INPUT,
                                    "of what type are the events? Say it, as lead.named, or give "
                                    "a mapping");
    out->type = catalog_find(c->catalog, type);
    if (!out->type)
        return err_set(err, ERR_INPUT, "there is no type of event '%s' in the rules%s", type,
                       catalog_hint(hint, sizeof(hint), c->catalog, type));
    if (c->mapping)
        rc = read_mapping(out, c->mapping, err);
    else
        take_names(out, header);
    for (int i = 0; i < out->count && rc == OK; i++)
        if (out->places[i].column)
            rc = find_column(&out->places[i], header, c->name, err);
    if (rc == OK && !has(out, "subject"))
        rc = no_place(c, header, "subject", "'subject' or 'urn'", err);
    if (rc == OK && !has(out, "time"))
        rc = no_place(c, header, "time", "'time' or 'date'", err);
    if (rc == OK)
        tell_unused(out, c, header);
    return rc;
}
