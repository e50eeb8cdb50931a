/* whatif_count.c - see whatif_count.h. */
#include "engine/whatif_count.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* Which decisions a ruleset has about a kind of subject, and where their values are in a
 * judgement. */
struct whatif_places {
    struct whatif_places *next;
    const struct ruleset *rs;
    enum subject_kind kind;
    int count;
    uint16_t *places;
    uint32_t *ids;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to compare rules");
}

bool whatif_is_same(const char *old, const char *now)
{
    if (old == now)
        return true;
    if (!old || !now)
        return strcmp(old ? old : now, "null") == 0; /* one that only one of them decides */
    return strcmp(old, now) == 0 || (old[0] == '!' && now[0] == '!');
}

/* ---- decisions by number ---- */

static bool make_room(struct whatif *w, uint32_t id)
{
    if (id < w->decision_cap)
        return true;
    size_t cap = w->decision_cap ? w->decision_cap * 2 : 256;
    struct decision_count **decisions = realloc(w->decisions, cap * sizeof(*decisions));
    if (decisions)
        w->decisions = decisions;
    const char **old_texts = realloc(w->old_texts, cap * sizeof(*old_texts));
    if (old_texts)
        w->old_texts = old_texts;
    const char **new_texts = realloc(w->new_texts, cap * sizeof(*new_texts));
    if (new_texts)
        w->new_texts = new_texts;
    if (!decisions || !old_texts || !new_texts)
        return false;
    w->decision_cap = cap;
    return true;
}

static bool id_of(uint32_t *out, struct whatif *w, const char *name)
{
    struct strmap_item *item = strmap_find(&w->ids, name, strlen(name));

    if (!item) {
        struct decision_count *d = arena_alloc(&w->arena, sizeof(*d));
        uint32_t id = w->ids.count;
        if (!d || !(d->name = arena_strdup(&w->arena, name)) || !make_room(w, id) ||
            !(item = strmap_add(&w->ids, d->name, strlen(d->name), NULL)))
            return false;
        item->as.num = id;
        w->decisions[id] = d;
    }
    *out = (uint32_t)item->as.num;
    return true;
}

static struct whatif_places *make_places(struct whatif *w, const struct judgement *j)
{
    struct whatif_places *p = arena_alloc(&w->arena, sizeof(*p));
    int count;
    const char *const *names =
        ruleset_decisions((struct ruleset *)(uintptr_t)j->rs, j->kind, &count);

    if (!p || !names)
        return NULL;
    p->places = arena_alloc(&w->arena, sizeof(*p->places) * ((size_t)count + 1));
    p->ids = arena_alloc(&w->arena, sizeof(*p->ids) * ((size_t)count + 1));
    if (!p->places || !p->ids)
        return NULL;
    judgement_places(p->places, j->rs, j->kind);
    for (int i = 0; i < count; i++)
        if (!id_of(&p->ids[i], w, names[i]))
            return NULL;
    p->rs = j->rs;
    p->kind = j->kind;
    p->count = count;
    p->next = w->places;
    return w->places = p;
}

static const struct whatif_places *places_of(struct whatif *w, const struct judgement *j)
{
    struct whatif_places *p = w->places;

    while (p && (p->rs != j->rs || p->kind != j->kind))
        p = p->next;
    return p ? p : make_places(w, j);
}

/* ---- values ---- */

static struct value_count *find_value(struct decision_count *d, const char *text)
{
    for (int i = 0; i < d->value_count; i++)
        if (d->values[i].text == text)
            return &d->values[i];
    for (int i = 0; i < d->value_count; i++)
        if (strcmp(d->values[i].text, text) == 0)
            return &d->values[i];
    if (d->value_count == WHATIF_VALUES) {
        d->has_more = true;
        return NULL;
    }
    d->values[d->value_count].text = text;
    return &d->values[d->value_count++];
}

static void count_values(struct decision_count *d, int m, const char *old, const char *now)
{
    struct value_count *v = d->has_more ? NULL : find_value(d, old ? old : "null");

    if (v)
        v->old[m]++;
    v = d->has_more ? NULL : find_value(d, now ? now : "null");
    if (v)
        v->now[m]++;
}

/* ---- rows ---- */

static const char *reason(struct whatif *w, struct record *old, struct record *now,
                          const char *decision)
{
    struct buf because = { 0 };

    flip_write_between(&because, &w->old_said, old, now, decision);
    const char *kept = because.failed ? NULL : arena_strdup(&w->arena, buf_cstr(&because));
    buf_fini(&because);
    return kept;
}

static enum err_code add_row(struct whatif *w, uint32_t id, const char *subject, struct record *old,
                             struct record *now, struct err *err)
{
    if (w->row_count == w->row_cap) {
        size_t cap = w->row_cap ? w->row_cap * 2 : 256;
        struct whatif_row *grown = realloc(w->rows, cap * sizeof(*grown));
        if (!grown)
            return no_memory(err);
        w->rows = grown;
        w->row_cap = cap;
    }
    struct whatif_row *row = &w->rows[w->row_count];
    *row = (struct whatif_row){ .subject = arena_strdup(&w->arena, subject),
                                .decision = w->decisions[id]->name,
                                .old = w->old_texts[id],
                                .now = w->new_texts[id] };
    bool is_told = row->subject;
    if (w->wants_reasons) {
        row->because = reason(w, old, now, row->decision);
        is_told = is_told && row->because && record_keep_text(&row->name, &w->arena, old, "name");
    }
    if (!is_told)
        return no_memory(err);
    w->row_count++;
    return OK;
}

/* ---- counting ---- */

static enum err_code count_one(struct whatif *w, int m, uint32_t id, const char *subject,
                               struct record *old, struct record *now, bool *differs,
                               struct err *err)
{
    struct decision_count *d = w->decisions[id];

    count_values(d, m, w->old_texts[id], w->new_texts[id]);
    if (whatif_is_same(w->old_texts[id], w->new_texts[id]))
        return OK;
    *differs = true;
    d->changed[m]++;
    return m == w->moment_count - 1 ? add_row(w, id, subject, old, now, err) : OK;
}

enum err_code whatif_count(struct whatif *w, int m, const char *subject, struct record *old,
                           struct record *now, struct err *err)
{
    const struct whatif_places *was = places_of(w, &w->old_said), *is = places_of(w, &w->new_said);
    enum err_code rc = OK;
    bool differs = false;

    if (!was || !is)
        return no_memory(err);
    for (int i = 0; i < is->count; i++)
        w->old_texts[is->ids[i]] = NULL;
    for (int i = 0; i < was->count; i++) {
        w->old_texts[was->ids[i]] = judgement_text(&w->old_said, was->places[i]);
        w->new_texts[was->ids[i]] = NULL;
    }
    for (int i = 0; i < is->count; i++)
        w->new_texts[is->ids[i]] = judgement_text(&w->new_said, is->places[i]);
    for (int i = 0; i < was->count && rc == OK; i++)
        rc = count_one(w, m, was->ids[i], subject, old, now, &differs, err);
    for (int i = 0; i < is->count && rc == OK; i++)
        if (!w->old_texts[is->ids[i]])
            rc = count_one(w, m, is->ids[i], subject, old, now, &differs, err);
    w->changed[m] += differs;
    return rc;
}

/* ---- several hands ---- */

static void add_values(struct decision_count *into, const struct decision_count *from, int moments)
{
    into->has_more = into->has_more || from->has_more;
    for (int i = 0; i < from->value_count; i++) {
        struct value_count *v = find_value(into, from->values[i].text);
        for (int m = 0; v && m < moments; m++) {
            v->old[m] += from->values[i].old[m];
            v->now[m] += from->values[i].now[m];
        }
    }
}

static bool add_rows(struct whatif *into, const struct whatif *from)
{
    struct whatif_row *rows =
        realloc(into->rows, (into->row_count + from->row_count + 1) * sizeof(*rows));

    if (!rows)
        return false;
    into->rows = rows;
    into->row_cap = into->row_count + from->row_count + 1;
    for (size_t i = 0; i < from->row_count; i++)
        rows[into->row_count++] = from->rows[i];
    return true;
}

enum err_code whatif_add(struct whatif *into, const struct whatif *from, struct err *err)
{
    for (uint32_t i = 0; i < from->ids.count; i++) {
        const struct decision_count *d = from->decisions[i];
        uint32_t id;
        if (!id_of(&id, into, d->name))
            return no_memory(err);
        add_values(into->decisions[id], d, into->moment_count);
        for (int m = 0; m < into->moment_count; m++)
            into->decisions[id]->changed[m] += d->changed[m];
    }
    for (int m = 0; m < into->moment_count; m++) {
        into->subjects[m] += from->subjects[m];
        into->changed[m] += from->changed[m];
    }
    return add_rows(into, from) ? OK : no_memory(err);
}

void whatif_fini(struct whatif *w)
{
    judgement_fini(&w->old_said);
    judgement_fini(&w->new_said);
    free(w->rows);
    free(w->decisions);
    free(w->old_texts);
    free(w->new_texts);
    strmap_fini(&w->ids);
    strmap_fini(&w->hubs);
    arena_fini(&w->arena);
    arena_fini(&w->bodies);
}
