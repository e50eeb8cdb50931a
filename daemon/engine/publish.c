/* publish.c - see publish.h. */
#include "engine/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/crash.h"
#include "base/json.h"
#include "base/log.h"
#include "store/derived.h"
#include "store/log.h"

#define CAUSES_MAX 1024 /* events that one entry of the feed names */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to judge a subject");
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

/* ---- changes ---- */

/* One decision, before and after. No bytes: there was, or is, none. */
struct pair {
    struct slice name, old_value, new_value;
};
struct pairs {
    struct arena *arena;
    struct pair *items; /* the arena's */
    size_t count, cap;
    bool failed;
};

static void add_pair(struct pairs *pairs, struct pair pair)
{
    if (pairs->count == pairs->cap) {
        size_t cap = pairs->cap ? pairs->cap * 2 : 16;
        struct pair *items = arena_alloc(pairs->arena, cap * sizeof(*items));
        pairs->failed = pairs->failed || !items;
        if (!items)
            return;
        if (pairs->count > 0)
            memcpy(items, pairs->items, pairs->count * sizeof(*items));
        pairs->items = items;
        pairs->cap = cap;
    }
    pairs->items[pairs->count++] = pair;
}

static struct slice slice_of(const char *text)
{
    return (struct slice){ text, text ? strlen(text) : 0 };
}

/* A live record knows what was before. */
static void take_changed(const struct judged *j, void *arg)
{
    struct pairs *pairs = arg;
    struct judged old = { .value = j->old_value, .is_error = j->old_is_error };
    const char *old_text = j->old_value ? decision_text(pairs->arena, &old) : NULL;
    const char *new_text = decision_text(pairs->arena, j);

    pairs->failed = pairs->failed || !new_text || (j->old_value && !old_text);
    add_pair(pairs, (struct pair){ slice_of(j->name), slice_of(old_text), slice_of(new_text) });
}

static void take_nothing(const struct judged *j, void *arg)
{
    (void)j;
    (void)arg;
}

static enum err_code take_decision(struct slice name, struct slice value, void *arg,
                                   struct err *err)
{
    struct pairs *pairs = arg;

    add_pair(pairs, (struct pair){ .name = name, .new_value = value });
    return pairs->failed ? no_memory(err) : OK;
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

/* Old decisions and new ones, both by name, as pairs: those that differ. One that rules do not have is told as null:
 * where it is null, nothing has changed when they gain or lose it. */
static void merge(struct pairs *out, const struct pairs *old, const struct pairs *new)
{
    size_t i = 0, k = 0;

    while (i < old->count || k < new->count) {
        const struct pair *a = i < old->count ? &old->items[i] : NULL;
        const struct pair *b = k < new->count ? &new->items[k] : NULL;
        int order = !a ? 1 : !b ? -1 : slice_order(a->name, b->name);
        if (order < 0 && !is_null(a->new_value))
            add_pair(out, (struct pair){ .name = a->name, .old_value = a->new_value });
        else if (order > 0 && !is_null(b->new_value))
            add_pair(out, *b);
        else if (order == 0 && slice_order(a->new_value, b->new_value) != 0)
            add_pair(out, (struct pair){ b->name, a->new_value, b->new_value });
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

/* The decisions about the subject, by the rules of the hub that it belongs to. */
static const char *decision_names(const struct live *l)
{
    enum subject_kind kind;

    return subject_parse(&kind, l->subject, strlen(l->subject), NULL) == OK
               ? ruleset_decision_list(record_ruleset(l->fold.record), kind)
               : NULL;
}

/* What has changed against the decisions that are stored, or against an empty record's. */
static enum err_code compare_stored(struct pairs *out, struct publication *p, const struct live *l,
                                    const char *names, const char *values, struct err *err)
{
    struct pairs old = { .arena = &p->arena }, new = { .arena = &p->arena };
    const char *old_names, *old_values;

    enum err_code rc = decisions_of(&old_names, &old_values, p->store, l->subject, err);
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
    return rc;
}

static bool keep(struct arena *arena, struct slice *s)
{
    if (s->at)
        s->at = arena_copy(arena, s->at, s->len);
    return s->at || s->len == 0;
}

/* Copy what pairs borrow from the decisions that are replaced. */
static enum err_code keep_pairs(struct pairs *pairs, struct err *err)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (!keep(pairs->arena, &pairs->items[i].old_value))
            return no_memory(err);
    return OK;
}

void write_causes(struct buf *b, const struct cause *causes)
{
    int64_t newest_first[CAUSES_MAX];
    int count = 0;

    for (; causes && count < CAUSES_MAX; causes = causes->next)
        newest_first[count++] = causes->seq;
    for (int i = count; i-- > 0;)
        buf_printf(b, "%s%lld", i == count - 1 ? "" : ",", (long long)newest_first[i]);
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
    const char *text = b.failed || events.failed ? NULL : arena_strdup(&p->arena, buf_cstr(&b));
    buf_fini(&events);
    buf_fini(&b);
    return text;
}

static const char *text_of(struct publication *p, struct slice s)
{
    return s.at ? arena_copy(&p->arena, s.at, s.len) : "null";
}

static enum err_code tell_pair(struct publication *p, const char *subject, const struct pair *pair,
                               const char *hub, const char *cause, struct err *err)
{
    struct change change = {
        .recorded = p->recorded,
        .generation = p->generation,
        .subject = subject,
        .decision = text_of(p, pair->name),
        .old_value = text_of(p, pair->old_value),
        .new_value = text_of(p, pair->new_value),
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

/* Take in what is new. False: the record can not follow. *is_rebuilt is set where it has come to another hub, whose
 * rules have not judged it before. */
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

/* Bring the live record up to now. *is_rebuilt says whether it is to be, and at the end whether it was. */
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
        snprintf(rule, sizeof(rule), "%s%s", fault->type ? "on " : "moves",
                 fault->type ? fault->type : "");
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

/* Judge. What differs from before goes into `pairs`. */
static enum err_code judge(struct pairs *pairs, int64_t *wake, struct publication *p,
                           struct live *l, bool is_rebuilt, struct err *err)
{
    struct record *r = l->fold.record;
    int64_t began = clock_monotonic();
    enum err_code rc =
        record_rejudge(wake, r, p->now, is_rebuilt ? take_nothing : take_changed, pairs, err);
    if (p->failures)
        failures_time(p->failures, clock_monotonic() - began);
    if (rc != OK || (!is_rebuilt && pairs->count == 0))
        return rc;
    const char *names = decision_names(l);
    buf_reset(&p->values);
    record_write_decisions(&p->values, r);
    if (!names || p->values.failed)
        rc = no_memory(err);
    if (rc == OK && is_rebuilt)
        rc = compare_stored(pairs, p, l, names, buf_cstr(&p->values), err);
    if (rc == OK && is_rebuilt) /* pairs look into what is replaced */
        rc = keep_pairs(pairs, err);
    if (rc == OK)
        rc = decisions_put(p->store, l->subject, names, buf_cstr(&p->values), err);
    return rc == OK && pairs->failed ? no_memory(err) : rc;
}

/* Judge, keep, tell. *wake: when a rule may say something else. */
static enum err_code publish_live(struct publication *p, struct live *l, bool is_rebuilt,
                                  const struct cause *causes, int64_t *wake, struct err *err)
{
    struct pairs pairs = { .arena = &p->arena };
    const char *cause = NULL;
    char *earlier = NULL;
    int64_t due;

    enum err_code rc = judge(&pairs, wake, p, l, is_rebuilt, err);
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
    if (rc == OK && pairs.count > 0 && !(cause = write_cause(p, causes, earlier, moment)))
        rc = no_memory(err);
    for (size_t i = 0; i < pairs.count && rc == OK; i++)
        rc = tell_pair(p, l->subject, &pairs.items[i], l->hub, cause, err);
    free(earlier);
    return rc;
}

/* ---- what is left for later ---- */

/* The hub that it belongs to, as far as that is known without folding it: by its record, by its card, by what is said of a
 * subject that is new. The caller frees it; NULL: not known. */
static enum err_code guess_hub(char **out, struct publication *p, const char *subject,
                               const struct live *l, const struct concern *concern, struct err *err)
{
    const char *hub = l ? ruleset_hub(record_ruleset(l->fold.record)) : NULL;

    *out = NULL;
    if (!l) {
        enum err_code rc = subject_hub_kept(out, p->store, subject, err);
        if (rc != OK || *out)
            return rc;
    }
    for (size_t i = 0; !l && !hub && i < concern->count; i++) {
        const struct json *said = json_get(concern->events[i]->data, "hub");
        hub = said && said->type == JSON_STRING ? said->as.string : NULL;
    }
    if (hub && !(*out = strdup(hub)))
        return no_memory(err);
    return OK;
}

/* Held back, since its hub's rules take long for each subject? */
static enum err_code is_held(bool *out, struct publication *p, const char *subject,
                             const struct live *l, const struct concern *concern, struct err *err)
{
    char *hub = NULL;

    *out = false;
    if (!p->debts || p->only || p->is_first_of_generation || !debts_are_owed(p->debts))
        return OK;
    enum err_code rc = guess_hub(&hub, p, subject, l, concern, err);
    if (rc == OK && debts_must_wait(p->debts, subject, hub)) {
        *out = true;
        rc = debts_hold(p->debts, subject, hub, err);
    }
    free(hub);
    return rc;
}

static bool must_wait(const struct publication *p, const char *subject, bool is_rebuilt)
{
    if (p->only)
        return !strmap_find(p->only, subject, strlen(subject));
    return is_rebuilt && p->folded >= p->fold_budget;
}

static enum err_code defer(struct publication *p, const char *subject,
                           const struct concern *concern, struct err *err)
{
    struct live *l = live_find(p->cache, subject);
    struct buf causes = { 0 };

    if (l)
        live_drop(p->cache, l);
    p->deferred++;
    write_causes(&causes, concern->causes);
    enum err_code rc = causes.failed ? no_memory(err) : wake_put(p->store, subject, p->now, err);
    if (rc == OK && causes.len > 0)
        rc = pending_add(p->store, subject, buf_cstr(&causes), err);
    buf_fini(&causes);
    return rc;
}

/* A subject that time alone asks for stays due, since whenever it was. */
static enum err_code leave(struct publication *p, const char *subject, struct concern *concern,
                           struct err *err)
{
    concern->is_left = true;
    if (concern->causes)
        return defer(p, subject, concern, err);
    p->left++;
    return OK;
}

/* Until its turn comes nothing wakes it. */
static enum err_code hold(struct publication *p, const char *subject, struct concern *concern,
                          struct err *err)
{
    struct live *l = live_find(p->cache, subject);

    if (l) /* it may have taken in what is not published */
        live_drop(p->cache, l);
    enum err_code rc = leave(p, subject, concern, err);
    if (rc == OK)
        wake_hold(p->store, subject);
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
        rc = is_held(is_left, p, subject, l, concern, err);
    if (rc != OK || *is_left)
        return rc;
    crash_point("judge");
    /* A record that was made by new rules before they judge knows only what they said: not what was decided. */
    bool is_compared = is_rebuilt || p->is_first_of_generation;
    if (l->last.id)
        rc = publish_live(p, l, is_compared, concern->causes, &wake, err);
    else /* all of it lies ahead: nothing has happened to this subject yet, and it waits no more */
        rc = pending_take(&waited, p->store, subject, err);
    free(waited);
    if (is_compared)
        tell_faults(p, l);
    return rc == OK ? set_wake(p, l, wake, err) : rc;
}

static void charge(struct publication *p, const char *subject, int64_t began, uint64_t suspicions,
                   bool is_left)
{
    bool is_suspect = ruleset_suspicions() != suspicions;
    const struct live *l = p->debts && (is_suspect || (!is_left && debts_are_owed(p->debts)))
                               ? live_find(p->cache, subject)
                               : NULL;

    if (l)
        debts_charge(p->debts, &l->fold, is_suspect ? clock_monotonic() - began : 0, is_suspect);
}

enum err_code publish_subject(struct publication *p, const char *subject, struct concern *concern,
                              struct err *err)
{
    struct live *l = live_find(p->cache, subject);
    int64_t began = p->debts ? clock_monotonic() : 0;
    uint64_t suspicions = ruleset_suspicions();
    bool is_left;

    crash_point("fold");
    if (concern->count > 1)
        qsort(concern->events, concern->count, sizeof(*concern->events), by_event_order);
    bool is_rebuilt = must_rebuild(p, l, concern);
    if (must_wait(p, subject, is_rebuilt))
        return leave(p, subject, concern, err);
    enum err_code rc = is_held(&is_left, p, subject, l, concern, err);
    if (rc == OK && !is_left)
        rc = publish_up(&is_left, p, l, is_rebuilt, subject, concern, err);
    charge(p, subject, began, suspicions, is_left);
    return rc == OK && is_left ? hold(p, subject, concern, err) : rc;
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
}
