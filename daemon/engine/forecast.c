/* forecast.c - see forecast.h. */
#include "engine/forecast.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/civil.h"
#include "base/json.h"
#include "engine/crowd.h"
#include "engine/difference.h"
#include "engine/timeline.h"
#include "lua/declared.h"
#include "lua/flip.h"

/* What a decision is now. */
struct told {
    const char *name;  /* the arena's */
    const char *value; /* the same */
};

struct watch {
    struct foreseeing *f;
    const char *subject;
    const char *name;         /* what it was called when something changed last; the arena's */
    const struct item *items; /* of its fold as of `until`: whose events they are that come */
    size_t item_count;
    struct told *told; /* by name, as they were first told; owned */
    size_t told_count, told_cap;
    size_t at; /* where the decision told last is: they come by name */
    struct record *record;
    struct ruleset *rules; /* borrowed: of the hub that it belonged to at the instant before */
    int64_t t;
    bool has_baseline;
    bool has_failed;
};

/* ---- why ---- */

static void write_events(struct buf *out, struct buf *why, const struct watch *w)
{
    const char *comma = "";

    buf_char(out, '[');
    for (size_t i = 0; i < w->item_count; i++) {
        const struct entry *e = w->items[i].entry;
        if (e->key.time != w->t)
            continue;
        buf_printf(out, "%s{\"source\":", comma);
        json_write_cstr(out, e->key.source);
        buf_str(out, ",\"id\":");
        json_write_cstr(out, e->key.id);
        buf_str(out, ",\"type\":");
        json_write_cstr(out, e->type);
        const struct event_type *type = catalog_find(rulebook_catalog(w->f->rules), e->type);
        buf_str(out, ",\"title\":");
        json_write_cstr(out, type ? type->title : e->type);
        buf_char(out, '}');
        buf_printf(why, "%s%s (%s %s)", *comma ? ", " : "event ", e->type, e->key.source,
                   e->key.id);
        comma = ",";
    }
    buf_char(out, ']');
}

/* Which instant it is, in a word. */
static void write_instant(struct buf *why, int64_t t)
{
    char text[YEAR_TEXT];
    int year = year_at(t);

    if (year_start(year) == t)
        buf_printf(why, "academic year %s begins", year_text(year, text));
    else
        buf_str(why, "time");
}

/* The names in a JSON array that flip.h has written, separated by spaces. */
static void write_names(struct buf *why, const char *before, const char *array, const char *member)
{
    struct arena scratch = { 0 };
    const struct json *list = NULL;

    if (json_parse(&list, &scratch, array, strlen(array), 4, NULL) == OK)
        for (const struct json *i = list->as.first; i; i = i->next) {
            const struct json *name = member ? json_get(i, member) : i;
            buf_printf(why, "%s%s", i == list->as.first ? before : " ", name->as.string);
        }
    arena_fini(&scratch);
}

static bool explain(struct foreseen *out, const struct watch *w, const char *decision)
{
    struct buf cause = { 0 }, why = { 0 }, part = { 0 };
    char time[TIME_TEXT];

    buf_printf(&cause, "{\"moment\":\"%s\",\"events\":", time_text(w->t, time));
    write_events(&cause, &why, w);
    if (why.len == 0)
        write_instant(&why, w->t);
    flip_write_moved(&part, w->record, w->t);
    buf_printf(&cause, ",\"moved\":%s,\"rules\":", buf_cstr(&part));
    write_names(&why, "; moves ", buf_cstr(&part), NULL);
    buf_reset(&part);
    flip_write_changed(&part, w->record, decision);
    buf_printf(&cause, "%s}", buf_cstr(&part));
    write_names(&why, "; read by ", buf_cstr(&part), "rule");
    out->cause = cause.failed ? NULL : arena_strdup(w->f->arena, buf_cstr(&cause));
    out->why = why.failed ? NULL : arena_strdup(w->f->arena, buf_cstr(&why));
    buf_fini(&cause);
    buf_fini(&why);
    buf_fini(&part);
    return out->cause && out->why;
}

/* ---- changes ---- */

static struct foreseen *add(struct foreseeing *f)
{
    struct foreseen *grown = array_room(f->items, f->count, &f->cap, sizeof(*grown));

    if (!grown)
        return NULL;
    f->items = grown;
    return &f->items[f->count++];
}

/* What is known of a decision: added, with no value, when nothing is. NULL: no memory. */
static struct told *find_told(struct watch *w, const char *name)
{
    for (size_t i = 0; i < w->told_count; i++, w->at++) {
        w->at = w->at < w->told_count ? w->at : 0;
        if (strcmp(w->told[w->at].name, name) == 0)
            return &w->told[w->at];
    }
    struct told *grown = array_room(w->told, w->told_count, &w->told_cap, sizeof(*grown));
    if (!grown)
        return NULL;
    w->told = grown;
    w->at = w->told_count;
    w->told[w->at] = (struct told){ .name = arena_strdup(w->f->arena, name) };
    return w->told[w->at].name ? &w->told[w->told_count++] : NULL;
}

/* The words for people. */
static bool name_it(struct foreseen *item, struct watch *w)
{
    struct buf name = { 0 };
    const char *title = ruleset_title(record_ruleset(w->record), item->decision);
    bool has_name = record_text_fact(&name, w->record, "name");

    /* Copied once for all that changes under it. */
    bool is_kept = has_name ? w->name && strcmp(w->name, buf_cstr(&name)) == 0 : !w->name;
    buf_fini(&name);
    if (!is_kept && !record_keep_text(&w->name, w->f->arena, w->record, "name"))
        return false;
    item->name = w->name;
    item->title = title ? arena_strdup(w->f->arena, title) : NULL;
    return item->title || !title;
}

/* It has this value from now on. */
static void take_value(struct watch *w, struct told *told, const char *value)
{
    const char *old = told->value ? told->value : "null"; /* one that only now is decided */

    told->value = value;
    if (!w->has_baseline || strcmp(old, value) == 0)
        return;
    struct foreseen *item = add(w->f);
    w->has_failed = !item;
    if (!item)
        return;
    *item = (struct foreseen){
        .time = w->t, .subject = w->subject, .decision = told->name, .old = old, .now = value
    };
    w->has_failed = !name_it(item, w) || !explain(item, w, told->name);
}

static void take_judged(const struct judged *j, void *arg)
{
    struct watch *w = arg;
    struct told *told = w->has_failed ? NULL : find_told(w, j->name);
    const char *value = told ? decision_text(w->f->arena, j) : NULL;

    if (value)
        take_value(w, told, value);
    else
        w->has_failed = true;
}

/* It belongs to another hub now: what only the one that it has left decides is null from
 * here on. */
static void change_rules(struct watch *w, struct ruleset *rules, enum subject_kind kind)
{
    int count, k = 0;
    const char *const *names = ruleset_decisions(rules, kind, &count);

    w->has_failed = w->has_failed || !names;
    for (size_t i = 0; i < w->told_count && !w->has_failed; i++) {
        bool is_there = false;
        for (int n = 0; n < count && !is_there; n++, k++) { /* nearly always the next one */
            k = k < count ? k : 0;
            is_there = strcmp(names[k], w->told[i].name) == 0;
        }
        if (!is_there)
            take_value(w, &w->told[i], "null");
    }
    w->rules = rules;
}

static enum err_code judge(struct watch *w, struct record *r, int64_t t, int64_t *wake,
                           struct err *err)
{
    w->record = r;
    w->t = t;
    if (record_ruleset(r) != w->rules)
        change_rules(w, record_ruleset(r), record_kind(r));
    enum err_code rc = record_rejudge(wake, r, t, take_judged, w, err);
    if (rc == OK && w->has_failed)
        rc = err_set(err, ERR_LIMIT, "no memory for what is foreseen");
    return rc;
}

/* What the decisions of a subject are before anything has happened to it. */
static enum err_code judge_empty(struct watch *w, struct ruleset *rules, int64_t t, struct err *err)
{
    struct record *r = NULL;
    int64_t wake;

    enum err_code rc = record_new(&r, rules, w->subject, err);
    if (rc == OK)
        rc = judge(w, r, t, &wake, err);
    record_free(r);
    return rc;
}

static bool is_of_hub(struct watch *w, struct record *r)
{
    struct buf hub = { 0 };
    bool is_it = hub_of(&hub, w->subject, r) && strcmp(buf_cstr(&hub), w->f->hub) == 0;

    if (hub.len > 0 && !strmap_find(&w->f->hubs, hub.data, hub.len)) {
        const char *name = arena_strdup(w->f->arena, hub.data);
        w->has_failed = !name || !strmap_add(&w->f->hubs, name, hub.len, NULL);
    }
    buf_fini(&hub);
    return is_it;
}

static enum err_code take_instant(int64_t t, struct record *r, int64_t *wake, bool *stop, void *arg,
                                  struct err *err)
{
    struct watch *w = arg;
    enum err_code rc = OK;

    if (t < w->f->from) {
        *wake = w->f->from; /* which is an instant of its own */
        return OK;
    }
    if (!w->has_baseline && w->f->hub && !is_of_hub(w, r)) {
        *stop = true;
        return OK;
    }
    if (!w->has_baseline && t > w->f->from) {
        rc = judge_empty(w, record_ruleset(r), t, err);
        w->has_baseline = true;
    }
    if (rc == OK)
        rc = judge(w, r, t, wake, err);
    w->has_baseline = true;
    return rc;
}

enum err_code foresee(struct foreseeing *f, const char *subject, struct err *err)
{
    struct watch w = { .f = f, .subject = arena_strdup(f->arena, subject) };

    if (!w.subject)
        return err_set(err, ERR_LIMIT, "no memory for what is foreseen");
    enum err_code rc = world_fold_items(&w.items, &w.item_count, f->world, subject, f->until, err);
    if (rc == OK)
        rc = timeline_walk(f->world, f->rules, w.subject, f->until, take_instant, &w, err);
    free(w.told);
    return rc;
}
