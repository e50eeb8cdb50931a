/* catalog.c - see event.h: the known types of events. */
#include "model/event.h"

#include <string.h>

#include "model/attribute.h"

static const struct type NAME = { .kind = TYPE_TEXT, .max = ATTRIBUTE_MAX_BYTES };
static const struct type NOTE = { .kind = TYPE_NOTE };
static const struct type_field VOIDED_FIELDS[] = {
    { "source", &NAME, false },
    { "id", &NAME, false },
    { "reason", &NOTE, true },
};
static const struct type VOIDED_DATA = {
    .kind = TYPE_ROW,
    .fields = VOIDED_FIELDS,
    .field_count = sizeof(VOIDED_FIELDS) / sizeof(VOIDED_FIELDS[0]),
};
static const struct event_type VOIDED = {
    .name = EVENT_VOIDED,
    .title = "An earlier event counts as if it had never happened",
    .subjects = { true, true, true },
    .data = &VOIDED_DATA,
    .declared_at = "pathwayd itself",
};

enum err_code catalog_init(struct catalog *c, struct err *err)
{
    *c = (struct catalog){ 0 };
    return catalog_add(c, &VOIDED, err);
}

enum err_code catalog_add(struct catalog *c, const struct event_type *type, struct err *err)
{
    bool is_new;
    struct strmap_item *item = strmap_add(&c->types, type->name, strlen(type->name), &is_new);

    if (!item)
        return err_set(err, ERR_LIMIT, "no memory for the event type %s", type->name);
    if (!is_new) {
        const struct event_type *other = item->as.ptr;
        return err_set(err, ERR_CONFLICT,
                       "%s: the event type %s is already declared at %s: expected another name",
                       type->declared_at, type->name, other->declared_at);
    }
    item->as.ptr = (void *)(uintptr_t)type; /* only ever given out as const */
    return OK;
}

const struct event_type *catalog_find(const struct catalog *c, const char *name)
{
    const struct strmap_item *item = strmap_find(&c->types, name, strlen(name));
    return item ? item->as.ptr : NULL;
}

void catalog_fini(struct catalog *c)
{
    strmap_fini(&c->types);
}
