/* publish.c - see publish.h. */
#include "engine/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "engine/difference.h"
#include "engine/postpone.h"
#include "store/derived.h"
#include "store/log.h"

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to judge a subject");
}

/* `earlier`: events of commits that left it for later. */
static const char *write_cause(struct publication *p, const struct cause *causes,
                               const char *earlier, int64_t moment)
{
    struct buf events = { 0 }, b = { 0 };

    if (earlier)
        buf_printf(&events, "%s%s", earlier, causes ? "," : "");
    write_causes(&events, causes);
    cause_text(&b, buf_cstr(&events), moment, p->is_new_generation ? p->generation : 0);
    const char *text = b.failed || events.failed ? NULL : arena_strdup(&p->scratch, buf_cstr(&b));
    buf_fini(&events);
    buf_fini(&b);
    return text;
}

static const char *text_of(struct publication *p, struct slice s)
{
    return s.at ? arena_copy(&p->scratch, s.at, s.len) : "null";
}

static enum err_code tell(struct publication *p, const char *subject, const struct difference *d,
                          const char *hub, const char *cause, struct err *err)
{
    struct change change = {
        .recorded = p->recorded,
        .generation = p->generation,
        .subject = subject,
        .decision = text_of(p, d->name),
        .old_value = text_of(p, d->old_value),
        .new_value = text_of(p, d->new_value),
        .hub = hub,
        .cause = cause,
    };
    int64_t seq;

    if (!change.decision || !change.old_value || !change.new_value)
        return no_memory(err);
    p->changes++;
    crash_point("feed");
    return feed_append(&seq, p->store, &change, err);
}

/* ---- names, hub and former URNs: what lists show and search ---- */

/* Put a fact's text into *kept; true when it is another one than before. */
static bool take_text(char **kept, struct buf *text, struct record *r, const char *fact)
{
    buf_reset(text);
    bool has_text = record_text_fact(text, r, fact);
    if (has_text ? *kept && strcmp(buf_cstr(text), *kept) == 0 : !*kept)
        return false;
    free(*kept);
    *kept = has_text ? strdup(buf_cstr(text)) : NULL;
    return true;
}

static enum err_code write_card(struct publication *p, struct live *l, bool is_rebuilt,
                                struct err *err)
{
    bool changed = take_text(&l->name, &p->text, l->fold.record, "name");
    changed = take_text(&l->hub, &p->text, l->fold.record, "hub") || changed;
    if (!changed && !is_rebuilt)
        return OK;
    struct subject_card card = {
        .subject = l->subject, .name = l->name, .hub = l->hub, .former = l->former
    };
    return subject_put(p->store, &card, err);
}

/* ---- one subject ---- */

/* The decisions about the subject, by the rules of the hub that it belongs to. */
static const char *decision_names(const struct live *l)
{
    enum subject_kind kind;

    return subject_parse(&kind, l->subject, strlen(l->subject), NULL) == OK
               ? ruleset_decision_list(record_ruleset(l->fold.record), kind)
               : NULL;
}

static void take_nothing(const struct judged *j, void *arg)
{
    (void)j;
    (void)arg;
}

static int by_event_order(const void *a, const void *b)
{
    const struct event *x = *(const struct event *const *)a, *y = *(const struct event *const *)b;
    struct event_key kx = { x->time, x->sequence, x->source, x->id };
    struct event_key ky = { y->time, y->sequence, y->source, y->id };
    return event_key_compare(&kx, &ky);
}

/* Can the live record follow what is new, or must it be folded from the log? */
static bool must_rebuild(const struct publication *p, const struct live *l,
                         const struct concern *concern)
{
    return !l || !RECORD_TRACKING || concern->must_refold ||
           !live_can_take(l, concern->events, concern->count, p->now);
}

/* Have all events of a subject come with this commit, none of them ahead of the clock? */
static bool is_new(const struct publication *p, const char *subject, const struct concern *concern)
{
    for (size_t i = 0; i < concern->count; i++)
        if (concern->events[i]->time > p->now)
            return false;
    return RECORD_TRACKING && concern->count > 0 && !concern->must_refold &&
           log_is_new(p->store, subject, p->first_seq);
}

/* Take in what is new. False: the record can not follow. *is_rebuilt is set where it has come to
 * another hub, whose rules have not judged it before. */
static enum err_code take(bool *taken, bool *is_rebuilt, struct live *l, struct publication *p,
                          const struct concern *concern, struct err *err)
{
    uint64_t before = l->fold.handovers, skipped = l->fold.skipped;
    enum err_code rc = live_take(l, concern->events, concern->count, p->now, err);

    p->cache->skipped += l->fold.skipped - skipped;

    *taken = rc == OK;
    *is_rebuilt = *is_rebuilt || l->fold.handovers != before;
    return rc == ERR_RULE || rc == ERR_CONFLICT ? OK : rc;
}

/* Bring the live record up to now. *is_rebuilt says whether it is to be, and at the end whether it
 * was. */
static enum err_code bring_up(struct live **l, bool *is_rebuilt, struct publication *p,
                              const char *subject, struct concern *concern, struct err *err)
{
    bool begins = !*l && is_new(p, subject, concern), taken = false;
    enum err_code rc = begins ? live_begin(l, p->cache, p->rules, subject, err) : OK;

    if (rc == OK && (begins || !*is_rebuilt))
        rc = take(&taken, is_rebuilt, *l, p, concern, err);
    if (rc != OK || taken)
        return rc;
    *is_rebuilt = true;
    p->refolds++;
    rc = live_build(l, p->cache, p->rules, p->world, subject, p->now, err);
    if (rc == OK)
        p->folded += (*l)->fold_events;
    return rc;
}

static void tell_faults(const struct publication *p, const struct live *l)
{
    char rule[100];

    for (const struct fault *fault = l->fold.faults; fault; fault = fault->next) {
        snprintf(rule, sizeof(rule), "%s %s", fault->move ? "move" : "on",
                 fault->move ? fault->move : fault->type);
        if (p->failures)
            failures_note(p->failures, l->hub, rule, l->subject, fault->message);
        log_warn("fold: rule failed subject=%s event_seq=%lld error=\"%s\"", l->subject,
                 (long long)fault->seq, fault->message);
    }
}

struct noting {
    const struct publication *p;
    const struct live *l;
};

static void note_failure(const char *rule, const char *message, void *arg)
{
    const struct noting *n = arg;
    failures_note(n->p->failures, n->l->hub, rule, n->l->subject, message);
}

/* Judge. What differs from before goes into `found`. */
static enum err_code judge(struct differences *found, int64_t *wake, struct publication *p,
                           struct live *l, bool is_rebuilt, struct err *err)
{
    struct record *r = l->fold.record;
    int64_t began = clock_monotonic();
    enum err_code rc =
        record_rejudge(wake, r, p->now, is_rebuilt ? take_nothing : difference_take, found, err);
    if (p->failures)
        failures_time(p->failures, clock_monotonic() - began);
    if (rc != OK || (!is_rebuilt && found->count == 0))
        return rc;
    const char *names = decision_names(l);
    buf_reset(&p->values);
    record_write_decisions(&p->values, r);
    if (!names || p->values.failed)
        rc = no_memory(err);
    bool is_stored = false;
    if (rc == OK && is_rebuilt)
        rc = differences_from_stored(found, &is_stored, p, l, names, buf_cstr(&p->values), err);
    if (rc == OK && !is_stored)
        rc = decisions_put(p->store, l->subject, names, buf_cstr(&p->values), err);
    return rc == OK && found->failed ? no_memory(err) : rc;
}

/* Judge, keep, tell. *wake: when a rule may say something else. */
static enum err_code publish_live(struct publication *p, struct live *l, bool is_rebuilt,
                                  const struct cause *causes, int64_t *wake, struct err *err)
{
    struct differences found = { .arena = &p->scratch };
    const char *cause = NULL;
    char *earlier = NULL;
    int64_t due;

    arena_reset(&p->scratch);
    enum err_code rc = judge(&found, wake, p, l, is_rebuilt, err);
    if (rc == OK)
        rc = wake_of(&due, p->store, l->subject, err);
    if (rc == OK)
        rc = write_card(p, l, is_rebuilt, err);
    if (rc == OK && p->failures)
        record_each_failure(l->fold.record, note_failure, &(struct noting){ p, l });
    if (rc == OK)
        rc = pending_take(&earlier, p->store, l->subject, err);
    /* What was left for later was due at once, which is no moment that changed anything. */
    int64_t moment = rc == OK && due <= p->now && !earlier ? due : TIME_NEVER;
    if (rc == OK && found.count > 0 && !(cause = write_cause(p, causes, earlier, moment)))
        rc = no_memory(err);
    for (size_t i = 0; i < found.count && rc == OK; i++)
        rc = tell(p, l->subject, &found.items[i], l->hub, cause, err);
    free(earlier);
    return rc;
}

/* When the record must be judged again. */
static enum err_code set_wake(struct publication *p, const struct live *l, int64_t wake,
                              struct err *err)
{
    if (fold_next(&l->fold) < wake)
        wake = fold_next(&l->fold);
    if (l->ahead < wake)
        wake = l->ahead;
    return wake_put(p->store, l->subject, wake, err);
}

/* Fold it and judge it. *is_left: it has turned out to be one that is held back. */
static enum err_code publish_up(bool *is_left, struct publication *p, struct live *l,
                                bool is_rebuilt, const char *subject, struct concern *concern,
                                struct err *err)
{
    int64_t wake = TIME_NEVER;
    char *waited = NULL;

    enum err_code rc = bring_up(&l, &is_rebuilt, p, subject, concern, err);
    *is_left = false;
    if (rc == OK && concern->causes) /* where only time asks, its hub is the one that was known */
        rc = postpone_is_held(is_left, p, subject, l, concern, err);
    if (rc != OK || *is_left)
        return rc;
    crash_point("judge");
    /* A record that was made by new rules before they judge knows only what they said: not what was
     * decided. */
    bool is_compared = is_rebuilt || p->is_first_of_generation;
    if (l->last.id)
        rc = publish_live(p, l, is_compared, concern->causes, &wake, err);
    else /* all of it lies ahead: nothing has happened to this subject yet, and it waits no more */
        rc = pending_take(&waited, p->store, subject, err);
    free(waited);
    tell_faults(p, l); /* one that has some is never kept from commit to commit */
    return rc == OK ? set_wake(p, l, wake, err) : rc;
}

static void charge(struct publication *p, const char *subject, int64_t began, uint64_t slow_runs,
                   bool is_left)
{
    bool is_slow = ruleset_slow_runs() != slow_runs;
    const struct live *l = p->debts && (is_slow || (!is_left && debts_are_owed(p->debts)))
                               ? live_find(p->cache, subject)
                               : NULL;

    if (l)
        debts_charge(p->debts, &l->fold, is_slow ? clock_monotonic() - began : 0, is_slow);
}

enum err_code publish_subject(struct publication *p, const char *subject, struct concern *concern,
                              struct err *err)
{
    struct live *l = live_find(p->cache, subject);
    int64_t began = p->debts ? clock_monotonic() : 0;
    uint64_t slow_runs = ruleset_slow_runs();
    bool is_left;

    crash_point("fold");
    if (concern->count > 1)
        qsort(concern->events, concern->count, sizeof(*concern->events), by_event_order);
    bool is_rebuilt = must_rebuild(p, l, concern);
    if (postpone_must(p, subject, is_rebuilt))
        return postpone(p, subject, concern, err);
    enum err_code rc = postpone_is_held(&is_left, p, subject, l, concern, err);
    if (rc == OK && !is_left)
        rc = publish_up(&is_left, p, l, is_rebuilt, subject, concern, err);
    charge(p, subject, began, slow_runs, is_left);
    return rc == OK && is_left ? postpone_held(p, subject, concern, err) : rc;
}

enum err_code publish_again(struct publication *p, const char *subject, struct err *err)
{
    struct live *l;
    struct buf values = { 0 };
    int64_t wake = TIME_NEVER;

    enum err_code rc = live_build(&l, p->cache, p->rules, p->world, subject, p->now, err);
    if (rc != OK)
        return rc;
    if (l->last.id) {
        rc = record_rejudge(&wake, l->fold.record, p->now, take_nothing, NULL, err);
        if (rc == OK)
            record_write_decisions(&values, l->fold.record);
        const char *names = rc == OK ? decision_names(l) : NULL;
        if (rc == OK)
            rc = names && !values.failed
                     ? decisions_put(p->store, subject, names, buf_cstr(&values), err)
                     : no_memory(err);
        if (rc == OK)
            rc = write_card(p, l, true, err);
        buf_fini(&values);
    }
    return rc == OK ? set_wake(p, l, wake, err) : rc;
}

void publication_fini(struct publication *p)
{
    buf_fini(&p->values);
    buf_fini(&p->text);
    arena_fini(&p->arena);
    arena_fini(&p->scratch);
}
