/* answer_explain.c - "explain": why a decision is what it is, since when and until when, and what
 * would have to be otherwise. The school is folded once more, followed by a trace, which says what
 * was looked at; which events can change the answer is found by leaving them out. */
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/fold.h"
#include "engine/reader.h"
#include "engine/removal.h"
#include "engine/timeline.h"
#include "lua/trace.h"
#include "store/derived.h"

struct question {
    struct reader *r;
    const char *subject, *rule;
    const struct instants *when;
    const struct item *items; /* of the fold */
    size_t count;
    struct span span;
    struct suspect *suspects; /* the arena's; first those of the fold, in event order, then voids */
    size_t suspect_count, suspect_cap;
};

/* ---- the events behind it ---- */

static bool has_event(const struct event_list *l, int64_t seq)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->seqs[i] == seq)
            return true;
    return false;
}

static const struct suspect *find_suspect(const struct question *q, int64_t seq)
{
    for (size_t i = 0; i < q->suspect_count; i++)
        if (q->suspects[i].seq == seq)
            return &q->suspects[i];
    return NULL;
}

static enum err_code add_suspect(struct question *q, const struct entry *e, enum suspicion why,
                                 struct err *err)
{
    if (q->suspect_count == q->suspect_cap) {
        size_t cap = q->suspect_cap ? q->suspect_cap * 2 : 64;
        struct suspect *grown = arena_alloc(&q->r->arena, cap * sizeof(*grown));
        if (!grown)
            return err_set(err, ERR_LIMIT, "no memory for the events behind a decision");
        if (q->suspect_count > 0)
            memcpy(grown, q->suspects, q->suspect_count * sizeof(*grown));
        q->suspects = grown;
        q->suspect_cap = cap;
    }
    bool is_special = strcmp(e->type, EVENT_VOIDED) == 0 || strcmp(e->type, EVENT_SUCCEEDED) == 0;
    q->suspects[q->suspect_count++] =
        (struct suspect){ .seq = e->seq,
                          .why = why,
                          .is_special = is_special,
                          .may_join = is_special || why == SUSPECT_MADE || why == SUSPECT_IDLE };
    return OK;
}

/* What the trace has seen, and what it can not see: that a predecessor's events came by way of a
 * succession. */
static enum err_code suspect_items(struct question *q, const struct reasons *reasons,
                                   struct err *err)
{
    enum err_code rc = OK;

    for (size_t i = 0; rc == OK && i < q->count; i++) {
        const struct entry *e = q->items[i].entry;
        if (has_event(&reasons->made, e->seq))
            rc = add_suspect(q, e, SUSPECT_MADE, err);
        else if (has_event(&reasons->behind, e->seq))
            rc = add_suspect(q, e, SUSPECT_BEHIND, err);
        else if (strcmp(e->type, EVENT_SUCCEEDED) == 0)
            rc = add_suspect(q, e, SUSPECT_OTHER, err);
        else if (has_event(&reasons->held, e->seq))
            rc = add_suspect(q, e, SUSPECT_HELD, err);
        else if (has_event(&reasons->idle, e->seq))
            rc = add_suspect(q, e, SUSPECT_IDLE, err);
        if (rc == OK && has_event(&reasons->idle, e->seq)) /* whatever else it is */
            q->suspects[q->suspect_count - 1].may_join = true;
    }
    return rc;
}

static enum err_code suspect_voids_of(struct question *q, const char *subject, struct err *err)
{
    const struct entry *const *touching;
    size_t count;

    enum err_code rc = world_touching(&touching, &count, q->r->world, subject, err);
    for (size_t i = 0; rc == OK && i < count; i++)
        if (strcmp(touching[i]->type, EVENT_VOIDED) == 0 && !find_suspect(q, touching[i]->seq))
            rc = add_suspect(q, touching[i], SUSPECT_OTHER, err);
    return rc;
}

/* Voids about a school, and about groups' meetings that touch it: those are voided under the
 * group's name. */
static enum err_code suspect_voids_on(struct question *q, const char *subject, struct err *err)
{
    const struct entry *const *touching;
    size_t count;

    enum err_code rc = suspect_voids_of(q, subject, err);
    if (rc == OK)
        rc = world_touching(&touching, &count, q->r->world, subject, err);
    for (size_t i = 0; rc == OK && i < count; i++)
        if (strcmp(touching[i]->subject, subject) != 0 && world_has_void(q->r->world, touching[i]))
            rc = suspect_voids_of(q, touching[i]->subject, err);
    return rc;
}

/* Voids of its own and of those that it took over; they act whatever moment is asked about. */
static enum err_code suspect_voids(struct question *q, struct err *err)
{
    enum err_code rc = suspect_voids_on(q, q->subject, err);

    for (size_t i = 0; rc == OK && i < q->count; i++) {
        const char *as = q->items[i].as[0];
        bool is_first = strcmp(as, q->subject) != 0;
        for (size_t k = 0; k < i && is_first; k++)
            is_first = strcmp(q->items[k].as[0], as) != 0;
        if (is_first)
            rc = suspect_voids_on(q, as, err);
    }
    return rc;
}

static void keep_value(const struct judged *j, void *arg)
{
    struct buf *value = arg;
    buf_printf(value, "%s%s", j->is_error ? "!" : "", j->value);
}

static enum err_code find_effects(struct question *q, const struct fold *f, struct past *past,
                                  const struct reasons *reasons, struct err *err)
{
    struct removal removal = { .arena = &q->r->arena,
                               .world = q->r->world,
                               .past = past,
                               .rule = q->rule,
                               .missing = reasons->missing,
                               .missing_count = reasons->missing_count };
    struct buf value = { 0 };

    past->asked = reasons->looked_at;
    enum err_code rc = suspect_items(q, reasons, err);
    if (rc == OK)
        rc = suspect_voids(q, err);
    if (rc == OK)
        rc = record_judge_rule(f->record, q->rule, q->when->at, keep_value, &value, err);
    removal.suspects = q->suspects;
    removal.suspect_count = q->suspect_count;
    if (rc == OK)
        rc = removal_find(&removal, buf_cstr(&value), err);
    buf_fini(&value);
    return rc;
}

/* ---- the answer ---- */

/* In which list an event is told. */
enum list {
    LIST_EVENTS, /* without it the answer would be another one */
    LIST_READ, /* it made what was looked at what it is, and the answer would be the same without it
                */
    LIST_BEHIND, /* it was looked at on the way there, likewise */
    LIST_NONE,
};
static const char *const LISTS[] = { "events", "read", "behind" };

static enum list list_of(const struct suspect *s)
{
    bool is_told = s->effect != EFFECT_NONE;

    switch (s->why) {
    case SUSPECT_MADE:
        return is_told ? LIST_EVENTS : LIST_READ;
    case SUSPECT_BEHIND: /* of what has not been tried, most makes no difference */
        return is_told && s->effect != EFFECT_UNKNOWN ? LIST_EVENTS : LIST_BEHIND;
    case SUSPECT_HELD:
        return s->effect == EFFECT_UNKNOWN ? LIST_BEHIND : is_told ? LIST_EVENTS : LIST_NONE;
    case SUSPECT_IDLE:
        return s->effect == EFFECT_TOGETHER ? LIST_EVENTS : LIST_NONE;
    case SUSPECT_OTHER:
        break;
    }
    return is_told ? LIST_EVENTS : LIST_NONE;
}

static const struct item *find_item(const struct question *q, int64_t seq)
{
    for (size_t i = 0; i < q->count; i++)
        if (q->items[i].entry->seq == seq)
            return &q->items[i];
    return NULL;
}

/* Behind the event: does it change the answer alone, or without which others? */
static void write_effect(struct buf *out, const struct suspect *s)
{
    out->len--; /* the closing brace of the event: there is more to say */
    if (s->effect == EFFECT_UNKNOWN)
        buf_str(out, ",\"alone\":null");
    else
        buf_printf(out, ",\"alone\":%s", s->effect == EFFECT_ALONE ? "true" : "false");
    for (size_t i = 0; i < s->with_count; i++)
        buf_printf(out, "%s%lld", i ? "," : ",\"with\":[", (long long)s->with[i]);
    buf_str(out, s->with_count > 0 ? "]}" : "}");
}

/* Those that stand, in event order; then voids, which stand nowhere in the fold. */
static enum err_code write_events(struct buf *out, struct question *q, enum list list,
                                  struct err *err)
{
    const char *comma = "";
    const struct entry *e;

    buf_printf(out, ",\"%s\":[", LISTS[list]);
    for (size_t i = 0; i < q->suspect_count; i++) {
        const struct suspect *s = &q->suspects[i];
        const struct item *item = find_item(q, s->seq);
        if (list_of(s) != list)
            continue;
        if (world_entry(&e, q->r->world, s->seq, err) != OK)
            return err->code;
        buf_str(out, comma);
        comma = ",";
        tell_event(out, q->r, e, item ? item->as : &q->subject, item ? item->as_count : 1);
        if (list == LIST_EVENTS)
            write_effect(out, s);
    }
    buf_char(out, ']');
    return OK;
}

/* Did the event have any part in it? */
static bool is_named(const struct question *q, int64_t seq)
{
    const struct suspect *s = find_suspect(q, seq);
    return s && list_of(s) != LIST_NONE;
}

/* What made it so: the events of that instant that it rests on; with none of them, that the moment
 * came. "begins": it rests on none, but with this one its history begins. */
static void write_cause(struct buf *out, const struct question *q)
{
    const struct entry *first = NULL;
    const char *comma = "";
    bool has_any = false;

    buf_str(out, ",\"cause\":{\"events\":[");
    for (int only_named = 1; only_named >= 0 && !has_any; only_named--) {
        for (size_t i = 0; i < q->count; i++) {
            const struct entry *e = q->items[i].entry;
            if (e->key.time != q->span.since || (only_named && !is_named(q, e->seq)))
                continue;
            buf_printf(out, "%s{\"source\":", comma);
            json_write_cstr(out, e->key.source);
            buf_str(out, ",\"id\":");
            json_write_cstr(out, e->key.id);
            buf_char(out, '}');
            comma = ",";
            first = !has_any && !only_named ? e : first;
            has_any = true;
        }
        if (!has_any && q->count > 0 && q->items[0].entry->key.time != q->span.since)
            break; /* others of that instant are no cause, but for the first that ever touched it */
    }
    buf_str(out, "],\"moment\":");
    write_moment(out, has_any ? TIME_NEVER : q->span.since);
    buf_str(out, ",\"generation\":null}");
    if (first) {
        const struct event_type *type = catalog_find(rulebook_catalog(q->r->rules), first->type);
        buf_str(out, ",\"begins\":");
        json_write_cstr(out, type ? type->title : first->type);
    }
}

static void write_heading(struct buf *out, const struct question *q, struct record *record,
                          int64_t seq)
{
    struct buf name = { 0 };

    buf_printf(out, "{\"seq\":%lld,\"subject\":", (long long)seq);
    json_write_cstr(out, q->subject);
    buf_str(out, ",\"name\":");
    json_write_cstr(out, record_text_fact(&name, record, "name") ? buf_cstr(&name) : NULL);
    buf_str(out, ",\"hub\":");
    json_write_cstr(out, record_hub(record));
    buf_str(out, ",\"decision\":");
    json_write_cstr(out, q->rule);
    buf_str(out, ",\"at\":");
    write_moment(out, q->when->at);
    buf_str(out, ",\"known\":");
    write_moment(out, q->when->has_known ? q->when->known : TIME_NEVER);
    buf_str(out, ",\"generation\":");
    if (q->r->generation > 0)
        buf_printf(out, "%lld,", (long long)q->r->generation);
    else
        buf_str(out, "null,"); /* by rules that have judged nothing yet */
    buf_fini(&name);
}

static enum err_code write_answer(struct buf *out, struct question *q, const struct fold *f,
                                  const struct reasons *reasons, struct err *err)
{
    int64_t seq;

    enum err_code rc = feed_last_seq(&seq, q->r->store, err);
    if (rc == OK)
        rc = timeline_span(&q->span, &q->r->arena, q->r->world, q->r->rules, q->subject, q->rule,
                           q->when->at, q->items, q->count, err);
    if (rc != OK)
        return rc;
    write_heading(out, q, f->record, seq);
    buf_add(out, reasons->json.data, reasons->json.len);
    buf_str(out, ",\"since\":");
    write_moment(out, q->span.since);
    write_cause(out, q);
    buf_str(out, ",\"until\":");
    write_moment(out, q->span.until);
    for (int list = LIST_EVENTS; list <= LIST_BEHIND; list++)
        if (write_events(out, q, (enum list)list, err) != OK)
            return err->code;
    write_faults(out, f);
    buf_char(out, '}');
    return OK;
}

static bool decides(struct ruleset *rs, enum subject_kind kind, const char *decision)
{
    int count;
    const char *const *names = ruleset_decisions(rs, kind, &count);

    for (int i = 0; names && i < count; i++)
        if (strcmp(names[i], decision) == 0)
            return true;
    return false;
}

/* There is no such decision here; the overlay of another hub may have it. */
static enum err_code tell_whose(const struct question *q, struct record *r, struct err *err)
{
    struct ruleset *rs;
    char at[TIME_TEXT];
    const char *hub = record_hub(r);

    for (int i = 1; (rs = rulebook_at(q->r->rules, i)); i++)
        if (rs != record_ruleset(r) && decides(rs, record_kind(r), q->rule))
            return err_set(err, ERR_ABSENT,
                           "only the rules of hub %s decide %s; %s belongs to %s%s on %s",
                           ruleset_hub(rs), q->rule, q->subject, hub ? "hub " : "no hub",
                           hub ? hub : "", moment_text(q->when->at, at));
    return err->code;
}

/* Its events, which are folded more than once. */
static enum err_code find_items(struct question *q, struct err *err)
{
    struct arena *arena = &q->r->arena;
    const struct item *items;

    if (world_fold_items(&items, &q->count, q->r->world, q->subject, q->when->at, err) != OK)
        return err->code;
    struct item *parsed = arena_alloc(arena, (q->count + 1) * sizeof(*parsed));
    if (!parsed)
        return err_set(err, ERR_LIMIT, "no memory for the events of %s", q->subject);
    for (size_t i = 0; i < q->count; i++) {
        parsed[i] = items[i];
        if (item_parse(&parsed[i], arena, q->r->rules, err) != OK)
            return err->code;
    }
    q->items = parsed;
    return OK;
}

static enum err_code explain(struct buf *out, struct question *q, struct trace *t, struct err *err)
{
    struct fold f = { 0 };
    struct past past = { 0 };
    struct reasons reasons = { 0 };

    enum err_code rc = find_items(q, err);
    if (rc == OK)
        rc = fold_init(&f, q->r->rules, q->subject, q->items, q->count, err);
    if (rc == OK)
        rc = fold_follow(&f, t, err);
    if (rc == OK)
        rc = past_fold(&past, &f, q->when->at, err);
    if (rc == OK)
        rc = trace_explain(&reasons, t, q->rule, q->when->at, err);
    if (rc == ERR_ABSENT)
        rc = tell_whose(q, f.record, err);
    if (rc == OK)
        rc = find_effects(q, &f, &past, &reasons, err);
    if (rc == OK)
        rc = write_answer(out, q, &f, &reasons, err);
    reasons_fini(&reasons);
    past_fini(&past);
    fold_fini(&f);
    return rc;
}

enum err_code answer_explain(struct buf *out, struct reader *r, const struct json *params,
                             struct err *err)
{
    static const char *const KNOWN[] = { "subject", "decision", "at", "known", "rules", NULL };
    struct instants when;
    struct question q = { .r = r, .when = &when };
    struct trace *t = NULL;

    if (params_check(params, KNOWN, err) != OK || params_subject(&q.subject, params, err) != OK ||
        params_text(&q.rule, params, "decision", err) != OK)
        return err->code;
    if (!q.rule)
        return err_set(err, ERR_INPUT,
                       "decision is missing; expected one such as eligible_development");
    if (params_instants(&when, r, params, err) != OK ||
        reader_world(r, when.max_seq, false, err) != OK ||
        reader_check_subject(r, q.subject, when.at, err) != OK || trace_new(&t, err) != OK)
        return err->code;
    enum err_code rc = explain(out, &q, t, err);
    trace_free(t);
    return rc;
}
