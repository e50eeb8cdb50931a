/* fold.c - see fold.h. */
#include "engine/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"

/* ---- hubs ---- */

static void free_parked(struct fold *f)
{
    for (int i = 0; f->parked && rulebook_at(f->rules, i); i++)
        record_free(f->parked[i]);
    free(f->parked);
    f->parked = NULL;
}

static int number_of(const struct fold *f, const struct ruleset *rs)
{
    int i = 0;

    while (rulebook_at(f->rules, i) != rs)
        i++;
    return i;
}

static struct ruleset *ruleset_now(const struct fold *f)
{
    const char *hub = record_hub(f->record);
    return hub || !f->home ? rulebook_of_hub(f->rules, hub) : f->home;
}

/* Let the record wait for the subject to come back. */
static enum err_code park(struct fold *f, struct err *err)
{
    int count = 0;

    while (rulebook_at(f->rules, count))
        count++;
    if (!f->parked)
        f->parked = calloc((size_t)count, sizeof(struct record *));
    if (!f->parked)
        return err_set(err, ERR_LIMIT, "no memory for the record of %s", f->subject);
    f->parked[number_of(f, record_ruleset(f->record))] = f->record;
    f->record = NULL;
    return OK;
}

/* Go on by the rules of the hub that the subject belongs to now. */
static enum err_code hand_over(struct fold *f, struct ruleset *to, struct err *err)
{
    struct record *from = f->record;

    if (park(f, err) != OK)
        return err->code;
    struct record **place = &f->parked[number_of(f, to)];
    struct record *back = *place;
    *place = NULL;
    f->handovers++;
    enum err_code rc = record_hand_over(&f->record, from, to, back, err);
    return rc == OK && f->trace ? trace_hand_over(f->trace, f->record, err) : rc;
}

/* ---- */

/* Reducers that have failed are what it begins anew for; moves will be asked again. */
static void forget_failed_moves(struct fold *f)
{
    struct fault **at = &f->faults;

    while (*at) {
        if ((*at)->move)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
}

static enum err_code begin(struct fold *f, struct err *err)
{
    struct ruleset *home = f->home ? f->home : rulebook_of_hub(f->rules, subject_hub(f->subject));

    record_free(f->record);
    free_parked(f);
    f->next = 0;
    f->skipped = 0;
    f->now = f->asked = f->moved = f->settled = TIME_MIN;
    f->wake = f->settled_wake = TIME_NEVER;
    forget_failed_moves(f);
    enum err_code rc = record_new(&f->record, home, f->subject, err);
    return rc == OK && f->trace ? trace_follow(f->trace, f->record, err) : rc;
}

enum err_code fold_init_at(struct fold *f, struct rulebook *rules, struct ruleset *home,
                           const char *subject, const struct item *items, size_t count,
                           struct err *err)
{
    *f = (struct fold){
        .rules = rules, .home = home, .subject = subject, .items = items, .count = count
    };
    return begin(f, err);
}

enum err_code fold_init(struct fold *f, struct rulebook *rules, const char *subject,
                        const struct item *items, size_t count, struct err *err)
{
    return fold_init_at(f, rules, NULL, subject, items, count, err);
}

enum err_code fold_follow(struct fold *f, struct trace *t, struct err *err)
{
    f->trace = t;
    return trace_follow(t, f->record, err);
}

void fold_fini(struct fold *f)
{
    record_free(f->record);
    f->record = NULL;
    free_parked(f);
    arena_fini(&f->arena);
}

int64_t fold_next(const struct fold *f)
{
    int64_t event = f->next < f->count ? f->items[f->next].entry->key.time : TIME_NEVER;
    return event < f->wake ? event : f->wake;
}

/* So often may reducers for events of one type use up their budgets for one subject, and all that
 * an overlay adds together: one after the other they could take any time. */
#define SPENT_LIMIT 3

/* NULL: no memory. */
static struct fault *put_fault(struct fold *f, const char *message)
{
    struct fault *fault = arena_alloc(&f->arena, sizeof(*fault));
    char *copy = fault ? arena_strdup(&f->arena, message) : NULL;

    if (!copy)
        return NULL;
    *fault = (struct fault){ .next = f->faults, .place = f->next, .message = copy };
    return f->faults = fault;
}

static enum err_code add_fault(struct fold *f, int64_t seq, const char *type,
                               const struct ruleset *added, bool is_spent, struct err *err)
{
    char *kept = arena_strdup(&f->arena, type); /* the world may go */
    struct fault *fault = kept ? put_fault(f, err->msg) : NULL;

    if (!fault)
        return err_set(err, ERR_LIMIT, "no memory for the record of %s", f->subject);
    fault->seq = seq;
    fault->added = added;
    fault->type = kept;
    fault->is_spent = is_spent;
    return OK;
}

/* `added`: is it what this ruleset's overlay adds that fails on it; NULL: all of it. */
static bool is_faulty(const struct fold *f, int64_t seq, const struct ruleset *added)
{
    for (const struct fault *fault = f->faults; fault; fault = fault->next)
        if (!fault->move && fault->seq == seq && fault->added == added)
            return true;
    return false;
}

/* A pack that fails, or that wants more memory than it may have, fails for its subject alone. */
static bool is_of_the_rules(enum err_code rc)
{
    return rc == ERR_RULE || rc == ERR_LIMIT;
}

struct failing {
    struct fold *fold;
    bool has_room;
};

/* Told once, however often it fails. */
static void note_failed_move(const struct failed_move *failed, void *arg)
{
    struct failing *failing = arg;
    struct fold *f = failing->fold;
    const struct ruleset *rs = record_ruleset(f->record), *added = failed->is_own ? rs : NULL;

    for (struct fault *fault = f->faults; fault; fault = fault->next) {
        if (fault->move && fault->added == added && strcmp(fault->move, failed->name) == 0) {
            fault->is_spent = fault->is_spent || failed->was_spent;
            return;
        }
    }
    struct fault *fault = put_fault(f, failed->message);
    if (fault) {
        fault->added = added;
        fault->move = failed->name; /* of a ruleset, which outlives the fold */
        fault->is_spent = failed->was_spent;
    }
    failing->has_room = failing->has_room && fault;
}

/* A move that fails changes nothing; it is asked again at the next event. */
static enum err_code ask(struct fold *f, int64_t now, bool by_itself, struct err *err)
{
    uint64_t before = record_changes(f->record);
    struct failing failing = { f, true };

    f->now = f->asked = now;
    enum err_code rc =
        record_ask(&f->wake, f->record, now, by_itself, note_failed_move, &failing, err);
    if (by_itself && record_changes(f->record) != before)
        f->moved = now;
    if (rc == ERR_RULE)
        rc = failing.has_room
                 ? OK
                 : err_set(err, ERR_LIMIT, "no memory for the record of %s", f->subject);
    if (!by_itself) {
        f->settled = now;
        f->settled_wake = f->wake;
    }
    return rc;
}

/* The record has moved on by itself beyond `t`: back to where it was after the last event. */
static enum err_code go_back(struct fold *f, struct err *err)
{
    if (!record_undo_moves(f->record))
        return err_set(err, ERR_CONFLICT, "%s moved after this event: fold it anew", f->subject);
    f->now = f->asked = f->settled;
    f->wake = f->settled_wake;
    f->moved = TIME_MIN;
    return OK;
}

/* Events were checked when they came, by the rules of then. One whose data is not what its type is
 * to hold now is skipped, as one of a type that there is no more: reducers may rely on what the
 * schema says. */
static bool still_fits(const struct rulebook *rules, const char *type, const struct json *data)
{
    const struct event_type *now = catalog_find(rulebook_catalog(rules), type);
    struct err ignored;

    return !now || type_check(now->data, data, "data", &ignored) == OK;
}

/* Have earlier events of this type used up what their reducers may, or of any type what an overlay
 * adds? Later ones are not tried. */
static bool has_spent(const struct fold *f, const char *type, const struct ruleset *added)
{
    int count = 0;

    for (const struct fault *fault = f->faults; fault; fault = fault->next)
        count += fault->is_spent && fault->type && fault->added == added &&
                 fault->place < f->next && (added || strcmp(fault->type, type) == 0);
    return count >= SPENT_LIMIT;
}

static enum err_code refuse(struct fold *f, const struct entry *e, const struct ruleset *added,
                            struct err *err)
{
    if (is_faulty(f, e->seq, added))
        return OK;
    if (added)
        err_set(err, ERR_RULE, "not tried: reducers of hub %s were stopped %d times before",
                ruleset_hub(added), SPENT_LIMIT);
    else
        err_set(err, ERR_RULE, "not tried: the reducer of %s was stopped %d times before", e->type,
                SPENT_LIMIT);
    return add_fault(f, e->seq, e->type, added, false, err);
}

/* What the overlay at hand adds for the event: is it to be left out, since it fails on it? `entry`
 * NULL: a record that is kept, which has no faults. */
static enum err_code leave_added(struct fold_event *e, struct fold *f, const struct entry *entry,
                                 struct err *err)
{
    const struct ruleset *rs = record_ruleset(f->record);

    e->leaves_added = false;
    if (!f->faults || !entry)
        return OK;
    e->leaves_added = is_faulty(f, e->seq, rs);
    if (e->leaves_added || !has_spent(f, e->type, rs))
        return OK;
    e->leaves_added = true;
    return refuse(f, entry, rs, err);
}

/* By the rules of the hub that it belongs to; an event that brings it to another one is seen by
 * that one's overlay too. */
static enum err_code apply_event(bool *known, struct fold *f, struct fold_event *e,
                                 const struct entry *entry, struct err *err)
{
    enum err_code rc = leave_added(e, f, entry, err);

    if (rc == OK)
        rc = record_apply(known, f->record, e, err);
    struct ruleset *to =
        rc == OK && *known && record_may_have_moved(f->record) ? ruleset_now(f) : NULL;
    if (!to || to == record_ruleset(f->record))
        return rc;
    rc = hand_over(f, to, err);
    if (rc == OK)
        rc = leave_added(e, f, entry, err);
    return rc == OK && !e->leaves_added ? record_apply_own(f->record, e, err) : rc;
}

static enum err_code apply(struct fold *f, const struct item *item, struct err *err)
{
    const struct entry *e = item->entry;
    const struct json *body = item->body;
    bool known = true;

    enum err_code rc = body ? OK
                            : json_parse(&body, rulebook_scratch(f->rules), e->body, e->body_len,
                                         EVENT_MAX_DEPTH + 1, err);
    if (rc == OK) {
        struct fold_event event = {
            .seq = e->seq,
            .time = e->key.time,
            .type = e->type,
            .source = e->key.source,
            .id = e->key.id,
            .subject = e->subject,
            .data = json_get(body, "data"),
            .as = item->as,
            .as_count = item->as_count,
        };
        known = item->fits || still_fits(f->rules, event.type, event.data);
        if (known)
            rc = apply_event(&known, f, &event, e, err);
        if (is_of_the_rules(rc))
            rc = ERR_RULE;
    } else {
        rc = err_at(err, "event %lld in the log", (long long)e->seq);
    }
    f->skipped += !known;
    return rc;
}

/* Take the next event in. One that a reducer fails on may have been taken in by half: then all
 * begins anew without it, or without what an overlay adds for it. */
static enum err_code take_next(struct fold *f, struct err *err)
{
    const struct item *item = &f->items[f->next];
    int64_t seq = item->entry->seq;

    if (has_spent(f, item->entry->type, NULL)) {
        enum err_code rc = refuse(f, item->entry, NULL, err);
        if (rc != OK)
            return rc;
    } else if (!is_faulty(f, seq, NULL)) {
        enum err_code rc = apply(f, item, err);
        if (rc == ERR_RULE) {
            const struct ruleset *rs = record_ruleset(f->record);
            bool in_added = record_failed_in_added(f->record) && !is_faulty(f, seq, rs);
            rc = add_fault(f, seq, item->entry->type, in_added ? rs : NULL, ruleset_was_spent(rs),
                           err);
            return rc == OK ? begin(f, err) : rc;
        }
        if (rc != OK)
            return rc;
    }
    f->next++;
    return ask(f, item->entry->key.time, false, err);
}

static enum err_code must_fold_anew(const struct fold *f, struct err *err)
{
    return err_set(err, ERR_CONFLICT, "a rule for %s is slow: fold it anew", f->subject);
}

/* A run was suspect, and what it did half-way can not be undone: all of it again, counted. A record
 * that is kept has no events at hand. */
static enum err_code repeat(struct fold *f, struct err *err)
{
    f->repeats++;
    return f->items ? begin(f, err) : must_fold_anew(f, err);
}

enum err_code fold_begin_again(struct fold *f, struct err *err)
{
    return begin(f, err);
}

/* Once some run was suspect all are counted, or the same could befall every instant. What is
 * suspect again then is so for its memory. */
static void count(const struct fold *f)
{
    for (int i = 0; f->repeats > 0 && rulebook_at(f->rules, i); i++)
        ruleset_count(rulebook_at(f->rules, i), f->repeats > 1);
}

/* The verdicts are there. */
static void trust(const struct fold *f)
{
    for (int i = 0; f->items && rulebook_at(f->rules, i); i++)
        ruleset_trust(rulebook_at(f->rules, i));
}

static enum err_code go_on(struct fold *f, int64_t at, struct err *err)
{
    enum err_code rc = OK;

    for (int64_t t = fold_next(f); rc == OK && t <= at && t != TIME_NEVER; t = fold_next(f)) {
        if (f->next < f->count && f->items[f->next].entry->key.time == t)
            rc = take_next(f, err);
        else
            rc = ask(f, t, true, err);
        if (rc == ERR_BUSY)
            rc = repeat(f, err);
    }
    if (rc == OK && at > f->now)
        f->now = at;
    return rc;
}

enum err_code fold_to(struct fold *f, int64_t at, struct err *err)
{
    count(f);
    enum err_code rc = go_on(f, at, err);
    trust(f);
    return rc;
}

enum err_code fold_try(struct fold *f, const struct fold_event *e, struct err *err)
{
    enum err_code rc;
    bool known;

    while ((rc = record_apply(&known, f->record, e, err)) == ERR_BUSY) {
        rc = repeat(f, err);
        if (rc == OK)
            rc = go_on(f, e->time, err);
        if (rc != OK)
            break;
    }
    trust(f);
    return is_of_the_rules(rc) ? ERR_RULE : rc;
}

enum err_code fold_take(struct fold *f, const struct fold_event *e, struct err *err)
{
    enum err_code rc = e->time <= f->moved ? go_back(f, err) : OK;
    bool known, is_behind = e->time <= f->asked;

    if (rc == OK && !e->is_checked && !still_fits(f->rules, e->type, e->data))
        return err_set(err, ERR_CONFLICT, "%s: fold it anew, without event %s", f->subject, e->id);
    if (rc == OK && !is_behind)
        rc = fold_to(f, e->time - 1, err);
    if (rc != OK)
        return rc;
    struct fold_event event = *e;
    rc = apply_event(&known, f, &event, NULL, err);
    if (rc != OK)
        return is_of_the_rules(rc) ? ERR_RULE : rc == ERR_BUSY ? must_fold_anew(f, err) : rc;
    f->skipped += !known;
    if (is_behind) {
        if (record_left_moves_alone(f->record))
            return OK;
        record_forget_asked(f->record); /* what the moves wait for was found at a later instant */
    }
    rc = ask(f, e->time, false, err);
    return rc == ERR_BUSY ? must_fold_anew(f, err) : rc;
}

enum err_code item_parse(struct item *item, struct arena *arena, const struct rulebook *rules,
                         struct err *err)
{
    const struct entry *e = item->entry;

    if (json_parse(&item->body, arena, e->body, e->body_len, EVENT_MAX_DEPTH + 1, err) != OK)
        return err_at(err, "event %lld in the log", (long long)e->seq);
    item->fits = still_fits(rules, e->type, json_get(item->body, "data"));
    return OK;
}

void items_take_parsed(struct item *items, size_t count, const struct item *parsed,
                       size_t parsed_count)
{
    size_t k = 0;

    for (size_t i = 0; i < count; i++) {
        while (k < parsed_count &&
               event_key_compare(&parsed[k].entry->key, &items[i].entry->key) < 0)
            k++;
        if (k < parsed_count && parsed[k].entry == items[i].entry) {
            items[i].body = parsed[k].body;
            items[i].fits = parsed[k].fits;
        }
    }
}

void fold_resume(struct fold *out, const struct fold *at, struct record *record,
                 const struct item *items, size_t count, size_t next)
{
    *out = *at;
    out->record = record;
    out->arena = (struct arena){ 0 };
    out->trace = NULL;
    out->items = items;
    out->count = count;
    out->next = next;
}

enum err_code fold_subject_of(struct fold *f, struct rulebook *rules, struct ruleset *home,
                              struct world *w, const char *subject, int64_t at, struct err *err)
{
    const struct item *items = NULL;
    size_t count = 0;

    *f = (struct fold){ .rules = rules, .home = home, .subject = subject };
    if (world_fold_items(&items, &count, w, subject, at, err) != OK)
        return err->code;
    f->items = items;
    f->count = count;
    enum err_code rc = begin(f, err);
    return rc == OK ? fold_to(f, at, err) : rc;
}

enum err_code fold_subject(struct fold *f, struct rulebook *rules, struct world *w,
                           const char *subject, int64_t at, struct err *err)
{
    return fold_subject_of(f, rules, NULL, w, subject, at, err);
}
