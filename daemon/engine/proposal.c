/* proposal.c - see proposal.h. What packs are made of is gathered in origin.c; here they are loaded, tested, and those
 * that fail replaced by what is in force. */
#include "engine/proposal.h"

#include <string.h>

#include "base/buf.h"
#include "engine/origin.h"
#include "engine/packtest.h"
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
    } * failing; /* of this attempt; arena's, but for their texts */
    bool failed; /* no memory */
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

static struct failing *failing_of(struct attempt *a, const char *message)
{
    const char *pack = pack_of(a->arena, message);
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
        struct failing *f = failing_of(a, problem->text);
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

/* Keep what is wrong with a pack; what was wrong with it first counts. */
static enum err_code refuse(struct attempt *a, const struct failing *f, struct err *err)
{
    for (const struct refusal *r = a->out->refusals; r; r = r->next)
        if (strcmp(r->pack, f->pack) == 0)
            return OK;
    struct refusal *r = arena_alloc(a->arena, sizeof(*r));
    const char *why = arena_strdup(a->arena, buf_cstr(&f->why));
    if (!r || !why || f->why.failed)
        return no_memory(err);
    *r = (struct refusal){ a->out->refusals, f->pack, why };
    a->out->refusals = r;
    return OK;
}

/* Put what is in force in the place of packs that fail. *any: there was one that was not so already. */
static enum err_code replace_failing(bool *any, struct attempt *a, struct origins *from,
                                     struct err *err)
{
    enum err_code rc = OK;

    *any = false;
    for (struct failing *f = a->failing; f; f = f->next) {
        bool replaced = false;
        if (rc == OK)
            rc = refuse(a, f, err);
        if (rc == OK)
            rc = origins_stay(&replaced, from, f->pack, err);
        *any = *any || replaced;
        buf_fini(&f->why);
    }
    return rc;
}

static enum err_code load(struct attempt *a, struct origins *from, bool is_by_hand, struct err *err)
{
    for (;;) {
        struct err ignored;
        bool any;
        enum err_code rc = try_once(a, from, err);
        if (rc == OK)
            return origins_list(&a->out->origins, from, err);
        enum err_code kept = replace_failing(&any, a, from, rc == ERR_RULE ? &ignored : err);
        if (rc != ERR_RULE || kept != OK || !any || is_by_hand)
            return rc;
    }
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
        rc = load(&a, from, p->kind != PROPOSE_FOLDER, err);
    return rc;
}

void proposed_fini(struct proposed *p)
{
    rulebook_free(p->rules);
    arena_fini(&p->arena);
    *p = (struct proposed){ 0 };
}
