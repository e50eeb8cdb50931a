/* answer_whatif.c - "whatif": other rules, or other values of parameters, against the rules in
 * force. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/crowd.h"
#include "engine/reader.h"
#include "engine/whatif_count.h"
#include "engine/whatif_request.h"
#include "engine/whatif_write.h"
#include "lua/suppose.h"

#define EVENTS_EACH 8 /* of a subject, at least, in a log that is worth two threads */

struct run {
    struct reader *reader;
    struct whatif_request q;
    struct whatif hands[CROWD_MAX];
    struct rulebook *old_rules[CROWD_MAX],
        *new_rules[CROWD_MAX]; /* owned; NULL: the other's, or the reader's */
    int hand_count;
    int64_t moments[WHATIF_MOMENTS];
    int moment_count;
    struct warm *warm;        /* being filled; owned */
    struct likeness likeness; /* of the rules in force and the other ones */
    bool is_likened;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to compare rules");
}

/* Only now, and by what is known now: what else is asked has other facts, or other moments. */
static bool may_keep(const struct run *run)
{
    return run->q.format != ROWS_JSON && !run->q.when.has_known;
}

/* ---- rules ---- */

static enum err_code suppose(struct rulebook *b, const struct whatif_request *q, struct err *err)
{
    enum err_code rc = OK;

    for (const struct json *p = q->set ? q->set->as.first : NULL; p && rc == OK; p = p->next)
        rc = rulebook_suppose(b, p->name, p, err);
    return rc;
}

static enum err_code load_new(struct run *run, int i, struct err *err)
{
    return run->q.files && !run->new_rules[i]
               ? whatif_load_files(&run->new_rules[i], &run->q, run->reader->rules, err)
               : OK;
}

/* Do both make the same records? With parameters besides, some of them may be what moves read. */
static enum err_code liken(struct run *run, struct rulebook *old, struct err *err)
{
    if (!run->q.files || run->q.set || run->is_likened)
        return OK;
    run->is_likened = true;
    return likeness_find(&run->likeness, old, run->new_rules[0], err);
}

/* The reader's own rules stay as they are: what is supposed is supposed of a copy. So are records
 * that are kept. */
static enum err_code load_rules(struct run *run, int i, struct err *err)
{
    struct reader *r = run->reader;
    enum err_code rc = OK;

    if (!run->q.files || i > 0 || may_keep(run))
        rc = rulebook_again(&run->old_rules[i], r->rules, err);
    if (rc == OK)
        rc = load_new(run, i, err);
    struct rulebook *old = run->old_rules[i] ? run->old_rules[i] : r->rules;
    if (rc == OK && i == 0)
        rc = liken(run, old, err);
    if (rc == OK && may_keep(run))
        rc = rulebook_watch(old, err);
    return rc == OK ? suppose(run->new_rules[i] ? run->new_rules[i] : old, &run->q, err) : rc;
}

/* The second thread's rules are loaded while the log is being read. */
struct loading {
    struct run *run;
    pthread_t thread;
    bool is_under_way;
    struct err err;
};

static void *load_second(void *arg)
{
    struct loading *l = arg;

    l->err.code = OK;
    if (load_rules(l->run, 1, &l->err) == OK)
        l->err.code = OK;
    return NULL;
}

static void begin_loading(struct loading *l, struct run *run)
{
    *l = (struct loading){ .run = run };
    if (crowd_size((size_t)run->q.when.max_seq / EVENTS_EACH) > 1)
        l->is_under_way = pthread_create(&l->thread, NULL, load_second, l) == 0;
}

static enum err_code end_loading(struct loading *l, struct err *err)
{
    if (!l->is_under_way)
        return OK;
    pthread_join(l->thread, NULL);
    return l->err.code == OK ? OK : err_set(err, l->err.code, "%s", l->err.msg);
}

/* ---- moments ---- */

static enum err_code first_time(int64_t *out, struct world *w, const char *const *subjects,
                                size_t count, struct err *err)
{
    const struct entry *const *touching;
    size_t n;

    *out = TIME_NEVER;
    for (size_t i = 0; i < count; i++) {
        if (world_touching(&touching, &n, w, subjects[i], err) != OK)
            return err->code;
        if (n > 0 && touching[0]->key.time < *out)
            *out = touching[0]->key.time;
    }
    return OK;
}

/* The ends of the academic years since the first event, and the moment asked about. */
static enum err_code find_moments(struct run *run, const char *const *subjects, size_t count,
                                  struct err *err)
{
    int64_t first, at = run->q.when.at;

    if (first_time(&first, run->reader->world, subjects, count, err) != OK)
        return err->code;
    if (run->q.format == ROWS_JSON && first < at) {
        int last_year = year_at(at), year = year_at(first) + 1;
        if (last_year - year + 2 > WHATIF_MOMENTS)
            year = last_year - WHATIF_MOMENTS + 2;
        for (; year <= last_year; year++)
            if (year_start(year) < at)
                run->moments[run->moment_count++] = year_start(year);
    }
    run->moments[run->moment_count++] = at;
    return OK;
}

/* ---- records that are warm ---- */

/* Would the records be the same by what is asked about? */
static enum err_code has_same_records(bool *is_it, struct run *run, struct err *err)
{
    struct warm *w = run->reader->warm;

    *is_it = true;
    for (const struct json *p = run->q.set ? run->q.set->as.first : NULL; p; p = p->next)
        for (int i = 0; i < w->hand_count; i++)
            *is_it = *is_it && !run->q.files && !rulebook_moves_read(w->books[i], p->name);
    if (!run->q.files || !*is_it)
        return OK;
    enum err_code rc = load_new(run, 0, err);
    if (rc == OK)
        rc = liken(run, w->books[0], err);
    *is_it = rc == OK && run->likeness.is_alike && run->likeness.others.count == 0;
    for (int i = 1; rc == OK && *is_it && i < w->hand_count; i++)
        rc = load_new(run, i, err);
    return rc;
}

/* Are there records that can answer? Then they stand at what is known now. */
static enum err_code has_warm(bool *has, struct run *run, struct err *err)
{
    struct warm *w = run->reader->warm;
    struct err ignored;

    *has = may_keep(run) && warm_fits(w, run->reader->rules, run->q.when.at);
    if (!*has)
        return OK;
    enum err_code rc = has_same_records(has, run, err);
    if (rc != OK || !*has)
        return rc;
    *has = warm_follow(w, run->reader->store, run->q.when.max_seq, &ignored) == OK &&
           run->q.when.at < w->next_event;
    if (!*has)
        reader_forget(run->reader);
    return OK;
}

static enum err_code work_warm(void *hand, struct warm_slot *slot, struct err *err)
{
    return whatif_warm(hand, slot, err);
}

static enum err_code compare_warm(struct run *run, struct err *err)
{
    struct warm *warm = run->reader->warm;
    void *hands[CROWD_MAX];
    enum err_code rc = OK;

    run->moments[run->moment_count++] = run->q.when.at;
    run->hand_count = warm->hand_count;
    for (int i = 0; i < warm->hand_count && rc == OK; i++) {
        hands[i] = &run->hands[i];
        run->hands[i] =
            (struct whatif){ .old_rules = warm->books[i],
                             .new_rules = run->new_rules[i] ? run->new_rules[i] : warm->books[i],
                             .likeness = &run->likeness,
                             .hub = run->q.hub,
                             .moments = run->moments,
                             .moment_count = 1,
                             .wants_reasons = run->q.format != ROWS_CSV };
        rulebook_was_moved(warm->books[i]);
        if (!run->q.files)
            rc = suppose(warm->books[i], &run->q, err);
    }
    if (rc == OK)
        rc = warm_run(warm, hands, work_warm, err);
    for (int i = 1; i < run->hand_count && rc == OK; i++)
        rc = whatif_add(&run->hands[0], &run->hands[i], err);
    for (int i = 0; i < warm->hand_count; i++)
        rulebook_suppose_nothing(warm->books[i]);
    warm->at = run->q.when.at;
    return rc;
}

/* What was folded for this answer serves for the next one. */
static void keep_warm(struct run *run)
{
    struct warm *w = run->warm;

    for (int i = 0; i < run->hand_count; i++) {
        rulebook_suppose_nothing(run->old_rules[i]);
        w->books[i] = run->old_rules[i];
        run->old_rules[i] = NULL;
    }
    w->hand_count = run->hand_count;
    warm_free(run->reader->warm);
    run->reader->warm = w;
    run->warm = NULL;
}

/* ---- the run ---- */

static enum err_code work(void *hand, const char *subject, size_t index, struct err *err)
{
    return whatif_subject(hand, subject, index, err);
}

static void tell(size_t done, size_t of, void *arg)
{
    const struct run *run = arg;
    reader_tell(run->reader, (int64_t)done, (int64_t)of);
}

static void tell_scan(int64_t seq, void *arg)
{
    (void)seq;
    reader_tell(arg, 0, 0);
}

/* So many hands have their rules. */
static void prepare(struct run *run)
{
    run->hand_count = run->old_rules[1] || run->new_rules[1] ? 2 : 1;
    for (int i = 0; i < run->hand_count; i++) {
        struct rulebook *old = run->old_rules[i] ? run->old_rules[i] : run->reader->rules;
        run->hands[i] = (struct whatif){ .world = run->reader->world,
                                         .old_rules = old,
                                         .new_rules = run->new_rules[i] ? run->new_rules[i] : old,
                                         .likeness = run->is_likened ? &run->likeness : NULL,
                                         .hub = run->q.hub,
                                         .moments = run->moments,
                                         .moment_count = run->moment_count,
                                         .wants_reasons = run->q.format != ROWS_CSV,
                                         .warm = run->warm,
                                         .hand = i };
    }
}

static enum err_code compare_all(struct run *run, struct err *err)
{
    struct reader *r = run->reader;
    size_t count;
    const char *const *subjects = world_subjects(r->world, &count);

    if (!subjects)
        return no_memory(err);
    enum err_code rc = find_moments(run, subjects, count, err);
    if (rc == OK)
        rc = world_share(r->world, err);
    if (rc == OK && may_keep(run))
        rc = warm_new(&run->warm, r->world, subjects, count, run->q.when.at, run->q.when.max_seq,
                      err);
    if (rc == OK)
        prepare(run);
    struct crowd_options o = { .world = r->world,
                               .subjects = subjects,
                               .count = count,
                               .hand_count = run->hand_count,
                               .work = work,
                               .progress = tell,
                               .arg = run };
    for (int i = 0; i < run->hand_count; i++)
        o.hands[i] = &run->hands[i];
    if (rc == OK)
        rc = crowd_run(&o, err);
    for (int i = 1; i < run->hand_count && rc == OK; i++)
        rc = whatif_add(&run->hands[0], &run->hands[i], err);
    return rc;
}

static enum err_code check_hub(const struct run *run, struct err *err)
{
    const struct strmap *met[CROWD_MAX];

    for (int i = 0; i < run->hand_count; i++)
        met[i] = &run->hands[i].hubs;
    return run->q.hub ? hub_check(run->q.hub, met, run->hand_count, err) : OK;
}

static void let_go(struct run *run)
{
    for (int i = 0; i < run->hand_count; i++)
        whatif_fini(&run->hands[i]);
    warm_free(run->warm); /* before the rules that its records live in */
    run->warm = NULL;
    for (int i = 0; i < CROWD_MAX; i++) {
        rulebook_free(run->old_rules[i]);
        rulebook_free(run->new_rules[i]);
        run->old_rules[i] = run->new_rules[i] = NULL;
    }
    likeness_fini(&run->likeness);
    run->is_likened = false;
}

static enum err_code compare_cold(struct run *run, struct err *err)
{
    struct reader *r = run->reader;

    struct loading second = { 0 };

    enum err_code rc = load_rules(run, 0, err); /* slips in them are told before the log is read */
    if (rc == OK)
        rc = reader_world(r, run->q.when.max_seq, false, err);
    if (rc == OK) {
        begin_loading(&second, run);
        world_tell(r->world, tell_scan, r);
        rc = world_load_all(r->world, err);
        enum err_code loaded = end_loading(&second, rc == OK ? err : NULL);
        rc = rc == OK ? loaded : rc;
    }
    return rc == OK ? compare_all(run, err) : rc;
}

static enum err_code find_differences(struct run *run, struct err *err)
{
    struct reader *r = run->reader;
    bool has;

    enum err_code rc = has_warm(&has, run, err);
    if (rc != OK || !has)
        return rc == OK ? compare_cold(run, err) : rc;
    rc = compare_warm(run, err);
    if (rc != OK)
        reader_forget(r); /* it may have been judged by half */
    if (rc != ERR_CONFLICT)
        return rc;
    let_go(run); /* the records could not follow: all of it anew */
    run->hand_count = run->moment_count = 0;
    return compare_cold(run, err);
}

enum err_code answer_whatif(struct buf *out, struct reader *r, const struct json *params,
                            struct err *err)
{
    struct run *run = calloc(1, sizeof(*run));

    if (!run)
        return no_memory(err);
    run->reader = r;
    enum err_code rc = whatif_read_request(&run->q, r, params, err);
    if (rc == OK)
        rc = reader_need_rules(r, err);
    if (rc == OK)
        rc = find_differences(run, err);
    if (rc == OK)
        rc = check_hub(run, err);
    if (rc == OK)
        rc = whatif_write(out, &run->hands[0], r, run->q.format, run->q.set, run->q.hub, err);
    if (rc == OK && run->warm)
        keep_warm(run);
    let_go(run);
    free(run);
    return rc;
}
