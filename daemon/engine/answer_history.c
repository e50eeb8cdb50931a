/* answer_history.c - "history" and "subject_events": what happened to a subject, and what it did to
 * its decisions.
 *
 * The history comes from the fold, not from the feed: it shows what changed when it happened, as it
 * is known now, with all that flipped and flipped back. */
#include <string.h>

#include "base/civil.h"
#include "engine/difference.h"
#include "engine/reader.h"
#include "engine/timeline.h"
#include "lua/declared.h"
#include "lua/rulebook.h"
#include "store/derived.h"

#define EVENTS_MAX 1000 /* on a page: a school has some fifty */

/* An event that touches the subject, or that it took over. */
struct happened {
    const struct entry *entry;
    const char *const *as; /* NULL: the subject itself */
    int as_count;
    bool is_late; /* one that stands behind it had been recorded before: answers about the past have
                     changed */
};

struct telling {
    struct buf *out;
    struct reader *r;
    const char *subject;
    int64_t at;
    struct instants when;
    struct happened *events; /* in event order */
    size_t count, next;
    struct strmap values;   /* of decisions, and of facts that move, at the instant before */
    struct ruleset *rules;  /* borrowed: of the hub that it belonged to at the instant before */
    const char *name, *hub; /* at the last instant; NULL: none */
    struct buf moves, changes;
    const char *comma;
    bool with_notes; /* who asks may read them */
    bool has_begun, failed;
};

/* ---- the events ---- */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for a history");
}

static void mark_late(struct happened *events, size_t count)
{
    int64_t least = INT64_MAX;

    for (size_t i = count; i-- > 0;) {
        events[i].is_late = events[i].entry->seq > least;
        least = events[i].entry->seq < least ? events[i].entry->seq : least;
    }
}

/* What touches it, voided or not, and what it took over and does not touch it; up to `at`. */
static enum err_code gather(struct telling *x, struct err *err)
{
    const struct entry *const *touching;
    const struct item *items;
    size_t touching_count, item_count, t = 0, i = 0;

    if (world_touching(&touching, &touching_count, x->r->world, x->subject, err) != OK ||
        world_fold_items(&items, &item_count, x->r->world, x->subject, x->at, err) != OK)
        return err->code;
    x->events = arena_alloc(&x->r->arena, (touching_count + item_count + 1) * sizeof(*x->events));
    if (!x->events)
        return no_memory(err);
    while (t < touching_count || i < item_count) {
        int order = t == touching_count ? 1
                    : i == item_count   ? -1
                                      : event_key_compare(&touching[t]->key, &items[i].entry->key);
        struct happened h = { .entry = order <= 0 ? touching[t] : items[i].entry };
        if (order > 0) {
            h.as = items[i].as;
            h.as_count = items[i].as_count;
        }
        t += order <= 0;
        i += order >= 0;
        if (h.entry->key.time <= x->at)
            x->events[x->count++] = h;
    }
    mark_late(x->events, x->count);
    return OK;
}

static bool aims_at(const struct entry *v, const struct entry *e)
{
    struct arena scratch = { 0 };
    const struct json *body = NULL;
    bool aims = false;

    if (strcmp(v->type, EVENT_VOIDED) == 0 && event_key_compare(&v->key, &e->key) > 0 &&
        json_parse(&body, &scratch, v->body, v->body_len, EVENT_MAX_DEPTH + 1, NULL) == OK) {
        const struct json *data = json_get(body, "data");
        aims = strcmp(json_get(data, "source")->as.string, e->key.source) == 0 &&
               strcmp(json_get(data, "id")->as.string, e->key.id) == 0;
    }
    arena_fini(&scratch);
    return aims;
}

/* The void that takes it away, of those that stand the first. */
static enum err_code write_voided(struct telling *x, const struct entry *e, struct err *err)
{
    const struct entry *const *touching;
    size_t count;
    bool is_voided;

    if (world_is_voided(&is_voided, x->r->world, e, err) != OK)
        return err->code;
    if (!is_voided)
        return OK;
    if (world_touching(&touching, &count, x->r->world, e->subject, err) != OK)
        return err->code;
    for (size_t i = 0; i < count; i++) {
        bool is_void_voided = true;
        if (!aims_at(touching[i], e))
            continue;
        if (world_is_voided(&is_void_voided, x->r->world, touching[i], err) != OK)
            return err->code;
        if (is_void_voided)
            continue;
        buf_printf(x->out, ",\"voided\":{\"seq\":%lld,\"source\":", (long long)touching[i]->seq);
        json_write_cstr(x->out, touching[i]->key.source);
        buf_str(x->out, ",\"id\":");
        json_write_cstr(x->out, touching[i]->key.id);
        buf_str(x->out, ",\"time\":");
        write_moment(x->out, touching[i]->key.time);
        buf_str(x->out, ",\"recorded\":");
        write_moment(x->out, touching[i]->recorded);
        buf_char(x->out, '}');
        return OK;
    }
    buf_str(x->out, ",\"voided\":{}");
    return OK;
}

/* The event with what it is to this subject: {... , "late":true, "voided":{...},
 * "taken_over":"school/1"}. */
static enum err_code write_happened(struct telling *x, const struct happened *h, struct err *err)
{
    const char *const *as = h->as ? h->as : &x->subject;
    int as_count = h->as ? h->as_count : 1;

    if (!x->with_notes)
        tell_event(x->out, x->r, h->entry, as, as_count);
    else if (tell_event_with_notes(x->out, x->r, h->entry, as, as_count, err) != OK)
        return err->code;
    x->out->len--; /* its closing brace: there is more to say */
    buf_printf(x->out, ",\"late\":%s", h->is_late ? "true" : "false");
    if (h->as) {
        buf_str(x->out, ",\"taken_over\":");
        json_write_cstr(x->out, h->as[0]);
    }
    enum err_code rc = write_voided(x, h->entry, err);
    buf_char(x->out, '}');
    return rc;
}

/* ---- what changed ---- */

/* The value that this name had before, NULL: none; it has the other one from here on. */
static const char *exchange(struct telling *x, const char *kind, const char *name,
                            const char *value)
{
    struct buf key = { 0 };

    buf_printf(&key, "%s%s", kind, name);
    struct strmap_item *item = strmap_find(&x->values, buf_cstr(&key), key.len);
    const char *copy = arena_strdup(&x->r->arena, value);
    const char *before = item ? item->as.ptr : NULL;
    if (!item) {
        char *kept = arena_strdup(&x->r->arena, buf_cstr(&key));
        item = kept ? strmap_add(&x->values, kept, key.len, NULL) : NULL;
    }
    x->failed = x->failed || !item || !copy || key.failed;
    if (item)
        item->as.ptr = (void *)(uintptr_t)copy;
    buf_fini(&key);
    return before;
}

static void add_move(struct buf *to, const char *fact, const char *old, const char *new)
{
    buf_str(to, to->len ? ",{\"fact\":" : "{\"fact\":");
    json_write_cstr(to, fact);
    buf_printf(to, ",\"old\":%s,\"new\":%s}", old, new);
}

/* `rules`: those that decide it, or did so last. */
static void add_change(struct buf *to, const struct ruleset *rules, const char *decision,
                       const char *old, const char *new)
{
    buf_str(to, to->len ? ",{\"decision\":" : "{\"decision\":");
    json_write_cstr(to, decision);
    buf_str(to, ",\"title\":");
    json_write_cstr(to, ruleset_title(rules, decision));
    buf_printf(to, ",\"old\":%s,\"new\":%s}", old, new);
}

static void take_move(const char *fact, const char *value, void *arg)
{
    struct telling *x = arg;
    const char *old = exchange(x, "fact ", fact, value);

    if (old && strcmp(old, value) != 0)
        add_move(&x->moves, fact, old, value);
}

static void take_judged(const struct judged *j, void *arg)
{
    struct telling *x = arg;
    const char *value = decision_text(&x->r->arena, j);
    const char *old = value ? exchange(x, "", j->name, value) : NULL;

    x->failed = x->failed || !value;
    if (!old && x->has_begun)
        old = "null"; /* only the hub that it has come to decides it */
    if (old && value && strcmp(old, value) != 0)
        add_change(&x->changes, x->rules, j->name, old, value);
}

/* A new subject is compared with an empty record of the same hub, as in the feed. */
static enum err_code begin(struct telling *x, struct ruleset *rules, int64_t t, struct err *err)
{
    struct record *empty;

    x->rules = rules;
    enum err_code rc = record_new(&empty, rules, x->subject, err);
    if (rc == OK)
        rc = record_each_move(empty, take_move, x, err);
    if (rc == OK)
        rc = record_judge(empty, t, take_judged, x, err);
    record_free(empty);
    x->has_begun = true;
    return rc;
}

/* It belongs to another hub now: what only the one that it has left decides is null from
 * here on. */
static void change_rules(struct telling *x, struct ruleset *rules, enum subject_kind kind)
{
    int old_count, new_count, k = 0;
    const char *const *was = ruleset_decisions(x->rules, kind, &old_count);
    const char *const *is = ruleset_decisions(rules, kind, &new_count);

    x->failed = x->failed || !was || !is;
    for (int i = 0; i < old_count && !x->failed; i++) {
        while (k < new_count && strcmp(is[k], was[i]) < 0)
            k++;
        if (k < new_count && strcmp(is[k], was[i]) == 0)
            continue;
        const char *old = exchange(x, "", was[i], "null");
        if (old && strcmp(old, "null") != 0)
            add_change(&x->changes, x->rules, was[i], old, "null");
    }
    x->rules = rules;
}

static enum err_code write_item(struct telling *x, int64_t t, struct err *err)
{
    const char *comma = "";
    bool has_events = x->next < x->count && x->events[x->next].entry->key.time <= t;

    if (!has_events && x->moves.len == 0 && x->changes.len == 0)
        return OK;
    buf_printf(x->out, "%s{\"time\":", x->comma);
    x->comma = ",";
    write_moment(x->out, t);
    buf_str(x->out, ",\"events\":[");
    for (; x->next < x->count && x->events[x->next].entry->key.time <= t; x->next++) {
        buf_str(x->out, comma);
        comma = ",";
        if (write_happened(x, &x->events[x->next], err) != OK)
            return err->code;
    }
    buf_printf(x->out, "],\"moves\":[%s],\"changes\":[%s]}", buf_cstr(&x->moves),
               buf_cstr(&x->changes));
    return OK;
}

/* Voided events are at no instant of the walk, unless something else happened then. */
static enum err_code write_passed(struct telling *x, int64_t t, struct err *err)
{
    buf_reset(&x->moves);
    buf_reset(&x->changes);
    while (x->next < x->count && x->events[x->next].entry->key.time < t)
        if (write_item(x, x->events[x->next].entry->key.time, err) != OK)
            return err->code;
    return OK;
}

/* Whose history it is, for people. */
static void keep_heading(struct telling *x, struct record *r)
{
    const char *hub = record_hub(r);

    if (!record_keep_text(&x->name, &x->r->arena, r, "name"))
        x->failed = true;
    x->hub = hub ? arena_strdup(&x->r->arena, hub) : NULL;
    x->failed = x->failed || (hub && !x->hub);
}

static enum err_code take_instant(int64_t t, struct record *r, int64_t *wake, bool *stop, void *arg,
                                  struct err *err)
{
    struct telling *x = arg;

    (void)stop;
    enum err_code rc = x->has_begun ? OK : begin(x, record_ruleset(r), t, err);
    if (rc == OK)
        rc = write_passed(x, t, err);
    if (rc == OK && record_ruleset(r) != x->rules)
        change_rules(x, record_ruleset(r), record_kind(r));
    if (rc == OK)
        rc = record_each_move(r, take_move, x, err);
    if (rc == OK)
        rc = record_rejudge(wake, r, t, take_judged, x, err);
    if (rc == OK)
        rc = write_item(x, t, err);
    if (rc == OK)
        keep_heading(x, r);
    return rc == OK && x->failed ? no_memory(err) : rc;
}

/* ---- the answers ---- */

/* Up to its items; `rest`: more members. */
static enum err_code write_heading(struct telling *x, const char *rest, struct err *err)
{
    int64_t seq;

    if (feed_last_seq(&seq, x->r->store, err) != OK)
        return err->code;
    buf_printf(x->out, "{\"seq\":%lld,\"subject\":", (long long)seq);
    json_write_cstr(x->out, x->subject);
    buf_str(x->out, ",\"generation\":");
    if (x->r->generation > 0)
        buf_printf(x->out, "%lld", (long long)x->r->generation);
    else
        buf_str(x->out, "null");
    buf_printf(x->out, "%s,\"items\":[", rest);
    return OK;
}

/* What it is called, which is known behind its last instant only, and what was asked. */
static enum err_code write_whose(struct telling *x, struct err *err)
{
    struct buf rest = { 0 };

    buf_str(&rest, ",\"name\":");
    json_write_cstr(&rest, x->name);
    buf_str(&rest, ",\"hub\":");
    json_write_cstr(&rest, x->hub);
    buf_str(&rest, ",\"at\":");
    write_moment(&rest, x->when.has_at ? x->when.at : TIME_NEVER);
    buf_str(&rest, ",\"known\":");
    write_moment(&rest, x->when.has_known ? x->when.known : TIME_NEVER);
    enum err_code rc = rest.failed ? no_memory(err) : write_heading(x, buf_cstr(&rest), err);
    buf_fini(&rest);
    return rc;
}

static enum err_code write_history(struct telling *x, struct err *err)
{
    struct buf *out = x->out, items = { 0 };

    x->out = &items;
    x->comma = "";
    enum err_code rc =
        timeline_walk(x->r->world, x->r->rules, x->subject, x->at, take_instant, x, err);
    if (rc == OK)
        rc = write_passed(x, TIME_NEVER, err);
    if (rc == OK && items.failed)
        rc = no_memory(err);
    x->out = out;
    if (rc == OK)
        rc = write_whose(x, err);
    buf_add(out, items.data, items.len);
    buf_str(out, "]}");
    buf_fini(&items);
    strmap_fini(&x->values);
    buf_fini(&x->moves);
    buf_fini(&x->changes);
    return rc;
}

static enum err_code ask(struct telling *x, const struct json *params, const char *const *known,
                         struct err *err)
{
    if (params_check(params, known, err) != OK || params_subject(&x->subject, params, err) != OK ||
        params_instants(&x->when, x->r, params, err) != OK)
        return err->code;
    x->at = x->when.at;
    if (reader_world(x->r, x->when.max_seq, false, err) != OK ||
        reader_check_subject(x->r, x->subject, x->at, err) != OK)
        return err->code;
    return gather(x, err);
}

enum err_code answer_history(struct buf *out, struct reader *r, const struct json *params,
                             struct err *err)
{
    static const char *const KNOWN[] = { "subject", "at", "known", "rules", NULL };
    struct telling x = { .out = out, .r = r };

    enum err_code rc = ask(&x, params, KNOWN, err);
    return rc == OK ? write_history(&x, err) : rc;
}

/* ---- its events, page by page ---- */

struct page {
    int64_t limit, after; /* 0: from the first */
    size_t first, end;    /* of the events */
};

static enum err_code read_page(struct page *p, struct telling *x, const struct json *params,
                               struct err *err)
{
    const char *notes;

    if (params_int(&p->limit, params, "limit", 1, EVENTS_MAX, EVENTS_MAX, err) != OK ||
        params_int(&p->after, params, "after", 1, INT64_MAX, 0, err) != OK ||
        params_text(&notes, params, "notes", err) != OK)
        return err->code;
    x->with_notes = !notes || strcmp(notes, "no") != 0;
    return OK;
}

/* Events have their order by when they happened; a page goes on behind the one that the last ended
 * with. */
static enum err_code find_page(struct page *p, const struct telling *x, struct err *err)
{
    while (p->after > 0 && p->first < x->count && x->events[p->first].entry->seq != p->after)
        p->first++;
    if (p->after > 0 && p->first++ == x->count)
        return err_set(err, ERR_INPUT,
                       "after: event %lld is none of %s by then; expected the `next` of a page",
                       (long long)p->after, x->subject);
    size_t left = x->count - p->first;
    p->end = p->first + (left < (size_t)p->limit ? left : (size_t)p->limit);
    return OK;
}

enum err_code answer_subject_events(struct buf *out, struct reader *r, const struct json *params,
                                    struct err *err)
{
    static const char *const KNOWN[] = { "subject", "at",    "known", "rules",
                                         "limit",   "after", "notes", NULL };
    struct telling x = { .out = out, .r = r };
    struct page p = { 0 };

    if (ask(&x, params, KNOWN, err) != OK || read_page(&p, &x, params, err) != OK ||
        find_page(&p, &x, err) != OK || write_heading(&x, "", err) != OK)
        return err->code;
    for (size_t i = p.first; i < p.end; i++) {
        buf_str(out, i > p.first ? "," : "");
        if (write_happened(&x, &x.events[i], err) != OK)
            return err->code;
    }
    if (p.end < x.count)
        buf_printf(out, "],\"next\":%lld}", (long long)x.events[p.end - 1].entry->seq);
    else
        buf_str(out, "],\"next\":null}");
    return OK;
}
