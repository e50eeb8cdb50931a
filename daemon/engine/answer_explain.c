/* answer_explain.c - "explain": why a decision is what it is, since when and until when, and what would have to
 * be otherwise. The school is folded once more, followed by a trace; what a trace can not see, that a void took an
 * event away or that one event kept another from having an effect, is found by leaving events out. */
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/fold.h"
#include "engine/reader.h"
#include "engine/timeline.h"
#include "lua/trace.h"
#include "store/derived.h"

#define TRIES_MAX 64 /* events left out, one after the other; those beyond are named untried */

struct question {
    struct reader *r;
    const char *subject, *rule;
    const struct instants *when;
    const struct item *items; /* of the fold */
    size_t count;
    struct span span;
    struct event_list made; /* as in struct reasons; with voids and what was found by trying */
    struct event_list behind;
    struct buf value; /* as judged, for comparing; once something has been tried */
    int tries;
};

/* ---- lists of events ---- */

static bool has_event(const struct event_list *l, int64_t seq)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->seqs[i] == seq)
            return true;
    return false;
}

static enum err_code add_event(struct event_list *l, int64_t seq, struct err *err)
{
    int64_t *grown = realloc(l->seqs, (l->count + 1) * sizeof(*grown));

    if (!grown)
        return err_set(err, ERR_LIMIT, "no memory for the events behind a decision");
    l->seqs = grown;
    l->seqs[l->count++] = seq;
    return OK;
}

/* ---- what is found by leaving events out ---- */

static void keep_value(const struct judged *j, void *arg)
{
    struct buf *value = arg;
    buf_printf(value, "%s%s", j->is_error ? "!" : "", j->value);
}

static enum err_code judge_once(struct buf *value, struct question *q, struct err *err)
{
    struct fold f = { 0 };

    enum err_code rc = fold_subject(&f, q->r->rules, q->r->world, q->subject, q->when->at, err);
    if (rc == OK)
        rc = record_judge_rule(f.record, q->rule, q->when->at, keep_value, value, err);
    if (rc == ERR_ABSENT) /* without the event it would belong to a hub that has no such rule */
        rc = OK;
    fold_fini(&f);
    return rc;
}

/* Would the answer be another one without this event? Beyond what can be tried, it may be. */
static enum err_code try_without(bool *differs, struct question *q, int64_t seq, struct err *err)
{
    struct buf without = { 0 };
    enum err_code rc = OK;

    *differs = true;
    if (q->tries == TRIES_MAX)
        return OK;
    if (q->tries++ == 0)
        rc = judge_once(&q->value, q, err);
    world_leave_out(q->r->world, seq, INT64_MAX);
    if (rc == OK)
        rc = judge_once(&without, q, err);
    world_leave_out(q->r->world, 0, INT64_MAX);
    *differs = strcmp(buf_cstr(&q->value), buf_cstr(&without)) != 0;
    buf_fini(&without);
    return rc;
}

static enum err_code add_if_it_matters(struct event_list *to, struct question *q, int64_t seq,
                                       struct err *err)
{
    bool differs;

    if (has_event(&q->made, seq) || has_event(&q->behind, seq))
        return OK;
    enum err_code rc = try_without(&differs, q, seq, err);
    return rc == OK && differs ? add_event(to, seq, err) : rc;
}

static enum err_code add_voids_of(struct question *q, const char *subject, struct err *err)
{
    const struct entry *const *touching;
    size_t count;

    enum err_code rc = world_touching(&touching, &count, q->r->world, subject, err);
    for (size_t i = 0; rc == OK && i < count; i++)
        if (strcmp(touching[i]->type, EVENT_VOIDED) == 0)
            rc = add_if_it_matters(&q->made, q, touching[i]->seq, err);
    return rc;
}

/* Voids of its own and of those that it took over; they act whatever moment is asked about. */
static enum err_code add_voids(struct question *q, struct err *err)
{
    enum err_code rc = add_voids_of(q, q->subject, err);

    for (size_t i = 0; rc == OK && i < q->count; i++) {
        const struct item *item = &q->items[i];
        /* What touches the school alone is voided under its own name; a group's meeting under the group's. */
        if (strcmp(item->entry->subject, q->subject) != 0) {
            bool is_first = true;
            for (size_t k = 0; k < i && is_first; k++)
                is_first = strcmp(q->items[k].entry->subject, item->entry->subject) != 0;
            if (is_first)
                rc = add_voids_of(q, item->entry->subject, err);
        }
        if (rc == OK && strcmp(item->as[0], q->subject) != 0) {
            bool is_first = true;
            for (size_t k = 0; k < i && is_first; k++)
                is_first = strcmp(q->items[k].as[0], item->as[0]) != 0;
            if (is_first)
                rc = add_voids_of(q, item->as[0], err);
        }
    }
    return rc;
}

/* What a predecessor brought came by way of the successions. */
static enum err_code add_successions(struct question *q, struct err *err)
{
    enum err_code rc = OK;

    for (size_t i = 0; rc == OK && i < q->count; i++)
        if (strcmp(q->items[i].entry->type, EVENT_SUCCEEDED) == 0)
            rc = add_if_it_matters(&q->made, q, q->items[i].entry->seq, err);
    return rc;
}

static enum err_code complete(struct question *q, const struct reasons *reasons, struct err *err)
{
    enum err_code rc = OK;

    for (size_t i = 0; rc == OK && i < reasons->made.count; i++)
        rc = add_event(&q->made, reasons->made.seqs[i], err);
    for (size_t i = 0; rc == OK && i < reasons->behind.count; i++)
        rc = add_event(&q->behind, reasons->behind.seqs[i], err);
    if (rc == OK)
        rc = add_voids(q, err);
    if (rc == OK)
        rc = add_successions(q, err);
    for (size_t i = 0; rc == OK && i < reasons->held.count; i++)
        rc = add_if_it_matters(&q->behind, q, reasons->held.seqs[i], err);
    return rc;
}

/* ---- the answer ---- */

static const struct item *find_item(const struct question *q, int64_t seq)
{
    for (size_t i = 0; i < q->count; i++)
        if (q->items[i].entry->seq == seq)
            return &q->items[i];
    return NULL;
}

/* Those that stand, in event order; then voids, which stand nowhere in the fold. */
static enum err_code write_events(struct buf *out, struct question *q, const char *member,
                                  const struct event_list *l, struct err *err)
{
    const char *comma = "";
    const struct entry *e;

    buf_printf(out, ",\"%s\":[", member);
    for (size_t i = 0; i < q->count; i++) {
        const struct item *item = &q->items[i];
        if (!has_event(l, item->entry->seq))
            continue;
        buf_str(out, comma);
        comma = ",";
        tell_event(out, q->r, item->entry, item->as, item->as_count);
    }
    for (size_t i = 0; i < l->count; i++) {
        if (find_item(q, l->seqs[i]))
            continue;
        if (world_entry(&e, q->r->world, l->seqs[i], err) != OK)
            return err->code;
        buf_str(out, comma);
        comma = ",";
        tell_event(out, q->r, e, &q->subject, 1);
    }
    buf_char(out, ']');
    return OK;
}

/* What made it so: the events of that instant that it rests on; with none of them, that the moment came. */
static void write_cause(struct buf *out, const struct question *q)
{
    const char *comma = "";
    bool has_any = false;

    buf_str(out, ",\"cause\":{\"events\":[");
    for (int only_named = 1; only_named >= 0 && !has_any; only_named--) {
        for (size_t i = 0; i < q->count; i++) {
            const struct entry *e = q->items[i].entry;
            if (e->key.time != q->span.since ||
                (only_named && !has_event(&q->made, e->seq) && !has_event(&q->behind, e->seq)))
                continue;
            buf_printf(out, "%s{\"source\":", comma);
            json_write_cstr(out, e->key.source);
            buf_str(out, ",\"id\":");
            json_write_cstr(out, e->key.id);
            buf_char(out, '}');
            comma = ",";
            has_any = true;
        }
        if (!has_any && q->count > 0 && q->items[0].entry->key.time != q->span.since)
            break; /* others of that instant are no cause, but for the first that ever touched it */
    }
    buf_str(out, "],\"moment\":");
    write_moment(out, has_any ? TIME_NEVER : q->span.since);
    buf_str(out, ",\"generation\":null}");
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
                           q->when->at, err);
    if (rc != OK)
        return rc;
    write_heading(out, q, f->record, seq);
    buf_add(out, reasons->json.data, reasons->json.len);
    buf_str(out, ",\"since\":");
    write_moment(out, q->span.since);
    write_cause(out, q);
    buf_str(out, ",\"until\":");
    write_moment(out, q->span.until);
    if (write_events(out, q, "events", &q->made, err) != OK ||
        write_events(out, q, "behind", &q->behind, err) != OK)
        return err->code;
    write_faults(out, f);
    buf_char(out, '}');
    return OK;
}

static enum err_code explain(struct buf *out, struct question *q, struct trace *t, struct err *err)
{
    struct fold f = { 0 };
    struct reasons reasons = { 0 };

    enum err_code rc =
        world_fold_items(&q->items, &q->count, q->r->world, q->subject, q->when->at, err);
    if (rc == OK)
        rc = fold_init(&f, q->r->rules, q->subject, q->items, q->count, err);
    if (rc == OK)
        rc = fold_follow(&f, t, err);
    if (rc == OK)
        rc = fold_to(&f, q->when->at, err);
    if (rc == OK)
        rc = trace_explain(&reasons, t, q->rule, q->when->at, err);
    if (rc == OK)
        rc = complete(q, &reasons, err);
    if (rc == OK)
        rc = write_answer(out, q, &f, &reasons, err);
    reasons_fini(&reasons);
    free(q->made.seqs);
    free(q->behind.seqs);
    buf_fini(&q->value);
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
