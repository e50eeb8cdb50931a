/* proposal.c - see proposal.h. What packs are made of is gathered in origin.c; here they are
 * loaded, tested, and those that fail replaced by what is in force. */
#include "engine/proposal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "engine/origin.h"
#include "engine/packtest.h"
#include "engine/refused.h"
#include "engine/stuck.h"
#include "lua/folder.h"
#include "store/generation.h"

/* So many tests of a pack that fail are told: more is no help, and the answer is kept. */
#define FAILURES_TOLD 20

struct attempt {
    struct proposed *out;
    struct arena *arena;
    const char *in_force; /* digest */
    struct failing {
        struct failing *next;
        const char *pack;
        struct buf why;
        size_t tests;
    } * failing;            /* of this attempt; arena's, but for their texts */
    struct refusal *before; /* that were known before anything was loaded */
    bool failed;            /* no memory */
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the proposed rules");
}

/* The pack that a message is about, by the first place in it. */
static const char *pack_of(struct arena *arena, const char *message)
{
    const char *hub = strstr(message, "hubs/");
    size_t len = hub ? strcspn(hub + 5, "/: \n") : 0;
    const char *national = strstr(message, "national/");

    return len > 0 && (!national || hub < national) ? arena_copy(arena, hub, len + 5)
                                                    : arena_strdup(arena, "national");
}

static struct failing *failing_named(struct attempt *a, const char *pack)
{
    struct failing *f = a->failing;

    while (f && pack && strcmp(f->pack, pack) != 0)
        f = f->next;
    if (!f && pack && (f = arena_alloc(a->arena, sizeof(*f)))) {
        *f = (struct failing){ .next = a->failing, .pack = pack };
        a->failing = f;
    }
    a->failed = a->failed || !f;
    return f;
}

static struct failing *failing_of(struct attempt *a, const char *message)
{
    return failing_named(a, pack_of(a->arena, message));
}

/* What is wrong with national rules only where an overlay is loaded with them is the overlay's
 * fault. */
static struct failing *failing_in(struct attempt *a, const struct problem *problem)
{
    struct buf name = { 0 };

    if (!problem->hub)
        return failing_of(a, problem->text);
    buf_printf(&name, "hubs/%s", problem->hub);
    struct failing *f = failing_named(a, arena_strdup(a->arena, buf_cstr(&name)));
    buf_fini(&name);
    return f;
}

static void take_test(const char *name, const char *where, const char *detail, void *arg)
{
    struct attempt *a = arg;
    struct failing *f = detail ? failing_of(a, where) : NULL;

    if (f && ++f->tests <= FAILURES_TOLD)
        buf_printf(&f->why, "%s: the test '%s' fails\n%s", where, name, detail);
}

static enum err_code run_tests(struct attempt *a, struct err *err)
{
    struct packtest_counts counts;

    /* In force already, or the first ones: nothing could stay in their place. */
    if (a->in_force[0] == '\0' || strcmp(rulebook_digest(a->out->rules), a->in_force) == 0)
        return OK;
    enum err_code rc = packtest_run(&counts, a->out->rules, take_test, a, err);
    a->out->tests = counts.passed;
    for (struct failing *f = a->failing; f; f = f->next)
        if (f->tests > FAILURES_TOLD)
            buf_printf(&f->why, "... and %zu more tests fail\n", f->tests - FAILURES_TOLD);
    if (rc == OK && counts.failed > 0)
        rc = err_set(err, ERR_RULE, "%zu of the rules' own tests fail", counts.failed);
    return rc;
}

/* Load and test what has been gathered. ERR_RULE: a->failing says which packs are to blame. */
static enum err_code try_once(struct attempt *a, struct origins *from, struct err *err)
{
    struct problems problems = { 0 };
    struct ruleset_file *files;
    int count;

    a->failing = NULL;
    enum err_code rc = origins_files(&files, &count, from, err);
    if (rc == OK)
        rc = rulebook_load_files(&a->out->rules, files, count, &problems, err);
    for (const struct problem *problem = problems.first; problem; problem = problem->next) {
        struct failing *f = failing_in(a, problem);
        if (f)
            buf_printf(&f->why, "%s\n", problem->text);
    }
    if (rc == ERR_RULE && !a->failing) {
        struct failing *f = failing_of(a, err->msg);
        if (f)
            buf_printf(&f->why, "%s\n", err->msg);
    }
    problems_fini(&problems);
    if (rc == OK)
        rc = run_tests(a, err);
    if (rc != OK) {
        rulebook_free(a->out->rules);
        a->out->rules = NULL;
    }
    return a->failed ? no_memory(err) : rc;
}

/* What is said of a pack that is left out. */
static enum err_code tell_left(struct attempt *a, struct refusal *r, struct err *err)
{
    struct buf why = { 0 };

    buf_printf(&why, "%s%s: it is left out until it, or the national pack, is changed\n", r->why,
               r->pack);
    r->why = why.failed ? NULL : arena_strdup(a->arena, buf_cstr(&why));
    buf_fini(&why);
    return r->why ? OK : no_memory(err);
}

/* Keep what is wrong with a pack, and what becomes of it; what was wrong with it first counts. */
static enum err_code keep_refusal(struct attempt *a, const char *pack, const char *why,
                                  enum origin_fate fate, struct err *err)
{
    struct refusal *r = a->out->refusals;

    while (r && strcmp(r->pack, pack) != 0)
        r = r->next;
    if (!r) {
        r = arena_alloc(a->arena, sizeof(*r));
        if (!r)
            return no_memory(err);
        *r = (struct refusal){ .next = a->out->refusals,
                               .pack = arena_strdup(a->arena, pack),
                               .why = arena_strdup(a->arena, why) };
        a->out->refusals = r;
    }
    if (!r->pack || !r->why)
        return no_memory(err);
    return fate == ORIGIN_GOES ? tell_left(a, r, err) : OK;
}

static bool is_national(const char *pack)
{
    return strcmp(pack, "national") == 0;
}

/* Does somebody ask for just this pack? Then it is that or nothing. */
static bool is_asked_for(const struct proposal *p, const char *pack)
{
    return p->kind != PROPOSE_FOLDER && strcmp(pack, p->pack) == 0;
}

static enum err_code give_way(bool *any, struct attempt *a, struct origins *from,
                              const struct proposal *p, const struct failing *f, struct err *err)
{
    enum origin_fate fate = ORIGIN_HOLDS;
    enum err_code rc = f->why.failed ? no_memory(err) : OK;

    if (rc == OK && !is_asked_for(p, f->pack))
        rc = origins_fail(&fate, from, f->pack, err);
    if (fate == ORIGIN_STAYS && is_national(f->pack))
        a->out->refusals = a->before; /* overlays are tried again beside the one in force */
    *any = *any || fate != ORIGIN_HOLDS;
    return rc == OK ? keep_refusal(a, f->pack, buf_cstr(&f->why), fate, err) : rc;
}

/* Packs that fail give way; where the national pack does, nothing is known of the others. *any:
 * there were some that could. */
static enum err_code replace_failing(bool *any, struct attempt *a, struct origins *from,
                                     const struct proposal *p, struct err *err)
{
    const struct failing *national = a->failing;
    enum err_code rc = OK;

    while (national && !is_national(national->pack))
        national = national->next;
    *any = false;
    for (struct failing *f = a->failing; f; f = f->next) {
        if (rc == OK && (!national || f == national))
            rc = give_way(any, a, from, p, f, err);
        buf_fini(&f->why);
    }
    return rc;
}

static enum err_code load(struct attempt *a, struct origins *from, const struct proposal *p,
                          struct err *err)
{
    a->before = a->out->refusals;
    for (;;) {
        struct err ignored;
        bool any;
        enum err_code rc = try_once(a, from, err);
        if (rc == OK)
            return origins_list(&a->out->origins, from, err);
        enum err_code kept = replace_failing(&any, a, from, p, rc == ERR_RULE ? &ignored : err);
        if (rc != ERR_RULE || kept != OK || !any)
            return rc;
        for (const struct refusal *r = a->out->refusals; r != a->before; r = r->next)
            if (is_asked_for(p, r->pack))
                return rc;
    }
}

/* Those that were found wanting. */
static enum err_code leave_wanting(struct attempt *a, struct origins *from,
                                   const struct proposal *p, struct err *err)
{
    enum err_code rc = OK;

    for (const struct refusal *r = p->wanting; r && rc == OK; r = r->next) {
        enum origin_fate fate = ORIGIN_HOLDS;
        if (!is_asked_for(p, r->pack))
            rc = origins_refuse(&fate, from, r->pack, err);
        if (rc == OK)
            rc = keep_refusal(a, r->pack, r->why, fate, err);
        if (rc == OK && fate == ORIGIN_HOLDS)
            rc = err_set(err, ERR_RULE, "%.*s", (int)strcspn(r->why, "\n"), r->why);
    }
    return rc;
}

struct leaving {
    struct attempt *attempt;
    struct origins *from;
    const struct proposal *proposal;
};

/* One that never came back, and is still what it was then. */
static enum err_code leave_stuck(const char *pack, const char *digest, const char *where, void *arg,
                                 struct err *err)
{
    struct leaving *l = arg;
    struct ruleset_file *files;
    char now[DIGEST_HEX];
    int count;
    struct buf why = { 0 };

    if (origins_files(&files, &count, l->from, err) != OK)
        return err->code;
    files_digest(now, files, count, pack);
    if (strcmp(now, digest) != 0)
        return OK;
    buf_printf(&why,
               "%s: it never came back (%s), and the daemon had to end: it is left out until it is "
               "changed\n",
               pack, where);
    enum err_code rc = why.failed
                           ? no_memory(err)
                           : keep_refusal(l->attempt, pack, buf_cstr(&why), ORIGIN_STAYS, err);
    for (struct refusal *r = l->attempt->out->refusals; rc == OK && r; r = r->next)
        r->is_stuck = r->is_stuck || strcmp(r->pack, pack) == 0;
    l->attempt->out->is_stuck = true;
    if (rc == OK && is_asked_for(l->proposal, pack))
        rc = err_set(err, ERR_RULE, "%.*s", (int)strcspn(buf_cstr(&why), "\n"), buf_cstr(&why));
    buf_fini(&why);
    enum origin_fate ignored;
    return rc == OK ? origins_refuse(&ignored, l->from, pack, err) : rc;
}

/* One that was refused among just these rules; unless it was taken by a later reload. */
static enum err_code leave_refused(const char *pack, const char *why, void *arg, struct err *err)
{
    struct leaving *l = arg;
    enum origin_fate ignored;
    bool is_changed;

    enum err_code rc = origins_is_changed(&is_changed, l->from, pack, err);
    if (rc != OK || !is_changed)
        return rc;
    log_info("rules: not tried again before a reload, since it was refused as it is pack=%s", pack);
    rc = keep_refusal(l->attempt, pack, why, ORIGIN_STAYS, err);
    return rc == OK ? origins_refuse(&ignored, l->from, pack, err) : rc;
}

enum err_code proposal_load(struct proposed *out, struct store *s, const struct proposal *p,
                            struct err *err)
{
    struct generation last;
    struct origins *from = NULL;

    *out = (struct proposed){ 0 };
    struct attempt a = { .out = out, .arena = &out->arena, .in_force = last.digest };
    enum err_code rc = generation_last(&last, s, err);
    if (rc == OK)
        rc = origins_gather(&from, &out->arena, s, p, err);
    if (rc == OK)
        rc = origins_digest(out->asked, from, err);
    if (rc == OK && p->is_start)
        rc = refused_each(s, out->asked, leave_refused, &(struct leaving){ &a, from, p }, err);
    if (rc == OK)
        rc = leave_wanting(&a, from, p, err);
    if (rc == OK)
        rc = stuck_each(s, leave_stuck, &(struct leaving){ &a, from, p }, err);
    if (rc == OK)
        rc = load(&a, from, p, err);
    return rc;
}

void proposed_fini(struct proposed *p)
{
    rulebook_free(p->rules);
    arena_fini(&p->arena);
    *p = (struct proposed){ 0 };
}

static enum err_code add_copy(struct refusals *to, const struct refusal *of, struct err *err)
{
    struct refusal *r = arena_alloc(&to->arena, sizeof(*r));

    if (!r)
        return no_memory(err);
    *r = (struct refusal){ .next = to->first,
                           .pack = arena_strdup(&to->arena, of->pack),
                           .why = arena_strdup(&to->arena, of->why) };
    if (!r->pack || !r->why)
        return no_memory(err);
    to->first = r;
    return OK;
}

static void keep_national(struct refusals *all)
{
    for (struct refusal **at = &all->first; *at;) {
        if (is_national((*at)->pack))
            at = &(*at)->next;
        else
            *at = (*at)->next;
    }
}

enum err_code refusals_join(struct refusals *to, const struct refusal *more, struct err *err)
{
    enum err_code rc = OK;
    bool has_national = false;

    for (const struct refusal *r = more; r; r = r->next)
        has_national = has_national || is_national(r->pack);
    if (has_national)
        keep_national(to);
    for (; more && rc == OK; more = more->next)
        if (!has_national || is_national(more->pack))
            rc = add_copy(to, more, err);
    return rc;
}

bool refusals_have(const struct refusal *first, const char *pack)
{
    while (first && strcmp(first->pack, pack) != 0)
        first = first->next;
    return first != NULL;
}

void refusals_free(struct refusals *r)
{
    if (!r)
        return;
    arena_fini(&r->arena);
    free(r);
}
