/* difference.c - see difference.h. */
#include "engine/difference.h"

#include <string.h>

#include "base/array.h"

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to compare decisions");
}

const char *decision_text(struct arena *arena, const struct judged *j)
{
    struct buf b = { 0 };

    if (!j->is_error)
        return arena_strdup(arena, j->value);
    buf_printf(&b, "{\"error\":%s}", j->value);
    const char *text = b.failed ? NULL : arena_strdup(arena, buf_cstr(&b));
    buf_fini(&b);
    return text;
}

static void add(struct differences *all, struct difference one)
{
    struct difference *grown =
        array_room_in(all->arena, all->items, all->count, &all->cap, sizeof(*grown));

    all->failed = all->failed || !grown;
    if (!grown)
        return;
    all->items = grown;
    all->items[all->count++] = one;
}

static struct slice slice_of(const char *text)
{
    return (struct slice){ text, text ? strlen(text) : 0 };
}

void difference_take(const struct judged *j, void *arg)
{
    struct differences *all = arg;
    struct judged old = { .value = j->old_value, .is_error = j->old_is_error };
    const char *old_text = j->old_value ? decision_text(all->arena, &old) : NULL;
    const char *new_text = decision_text(all->arena, j);

    all->failed = all->failed || !new_text || (j->old_value && !old_text);
    add(all, (struct difference){ slice_of(j->name), slice_of(old_text), slice_of(new_text) });
}

static void take_nothing(const struct judged *j, void *arg)
{
    (void)j;
    (void)arg;
}

static enum err_code take_decision(struct slice name, struct slice value, void *arg,
                                   struct err *err)
{
    struct differences *all = arg;

    add(all, (struct difference){ .name = name, .new_value = value });
    return all->failed ? no_memory(err) : OK;
}

static int slice_order(struct slice a, struct slice b)
{
    int order = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool is_null(struct slice value)
{
    return value.len == 4 && memcmp(value.at, "null", 4) == 0;
}

/* Old decisions and new ones, both by name: those that differ. One that rules do not have is told
 * as null: where it is null, nothing has changed when they gain or lose it. */
static void merge(struct differences *out, const struct differences *old,
                  const struct differences *new)
{
    size_t i = 0, k = 0;

    while (i < old->count || k < new->count) {
        const struct difference *a = i < old->count ? &old->items[i] : NULL;
        const struct difference *b = k < new->count ? &new->items[k] : NULL;
        int order = !a ? 1 : !b ? -1 : slice_order(a->name, b->name);
        if (order < 0 && !is_null(a->new_value))
            add(out, (struct difference){ .name = a->name, .old_value = a->new_value });
        else if (order > 0 && !is_null(b->new_value))
            add(out, *b);
        else if (order == 0 && slice_order(a->new_value, b->new_value) != 0)
            add(out, (struct difference){ b->name, a->new_value, b->new_value });
        i += order <= 0;
        k += order >= 0;
    }
}

struct empty_decisions {
    struct empty_decisions *next;
    const struct ruleset *rules;
    enum subject_kind kind;
    const char *values;
};

static enum err_code add_empty(struct publication *p, struct ruleset *rules, const char *subject,
                               enum subject_kind kind, struct err *err)
{
    struct record *empty = NULL;
    struct buf values = { 0 };
    int64_t wake;

    enum err_code rc = record_new(&empty, rules, subject, err);
    if (rc == OK)
        rc = record_rejudge(&wake, empty, p->now, take_nothing, NULL, err);
    if (rc == OK)
        record_write_decisions(&values, empty);
    record_free(empty);
    struct empty_decisions *new = rc == OK ? arena_alloc(&p->arena, sizeof(*new)) : NULL;
    if (new)
        *new = (struct empty_decisions){ p->empty, rules, kind,
                                         arena_strdup(&p->arena, buf_cstr(&values)) };
    if (rc == OK && (!new || !new->values || values.failed))
        rc = no_memory(err);
    if (rc == OK)
        p->empty = new;
    buf_fini(&values);
    return rc;
}

/* What an empty record decides: the same for all subjects of a hub in a commit. */
static enum err_code judge_empty(const char **out, struct publication *p, struct ruleset *rules,
                                 const char *subject, struct err *err)
{
    enum subject_kind kind;
    const struct empty_decisions *e = p->empty;

    if (subject_parse(&kind, subject, strlen(subject), err) != OK)
        return err->code;
    while (e && (e->rules != rules || e->kind != kind))
        e = e->next;
    if (!e && add_empty(p, rules, subject, kind, err) != OK)
        return err->code;
    *out = e ? e->values : p->empty->values;
    return OK;
}

static bool keep(struct arena *arena, struct slice *s)
{
    if (s->at)
        s->at = arena_copy(arena, s->at, s->len);
    return s->at || s->len == 0;
}

/* Copy what they borrow from the decisions that are replaced. */
static enum err_code keep_all(struct differences *all, struct err *err)
{
    for (size_t i = 0; i < all->count; i++)
        if (!keep(all->arena, &all->items[i].old_value))
            return no_memory(err);
    return OK;
}

enum err_code differences_from_stored(struct differences *out, bool *is_stored,
                                      struct publication *p, const struct live *l,
                                      const char *names, const char *values, struct err *err)
{
    struct differences old = { .arena = &p->scratch }, new = { .arena = &p->scratch };
    const char *old_names, *old_values;

    enum err_code rc = decisions_of(&old_names, &old_values, p->store, l->subject, err);
    *is_stored =
        rc == OK && old_values && strcmp(old_names, names) == 0 && strcmp(old_values, values) == 0;
    if (*is_stored)
        return OK;
    if (rc == OK && !old_values) {
        old_names = names;
        rc = judge_empty(&old_values, p, record_ruleset(l->fold.record), l->subject, err);
    }
    if (rc == OK)
        rc = decisions_each(old_names, old_values, take_decision, &old, err);
    if (rc == OK)
        rc = decisions_each(names, values, take_decision, &new, err);
    if (rc == OK)
        merge(out, &old, &new);
    return rc == OK ? keep_all(out, err) : rc;
}
