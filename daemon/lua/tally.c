/* tally.c - see tally.h. */
#include "lua/tally.h"

#include <string.h>

#include "lua/record_internal.h"
#include "lua/state.h"
#include "lua/words.h"

struct tally_job {
    struct tallies *t;
    struct record *r;
    struct reads reads;
    uint16_t next; /* place of the rule at hand */
    bool has_memory;
};

enum err_code tallies_init(struct tallies *out, struct ruleset *rs, struct err *err)
{
    *out = (struct tallies){ .rules = rs, .count = rs->rule_count };
    out->items = arena_alloc(&out->arena, sizeof(*out->items) * (out->count + 1u));
    return out->items ? OK : err_set(err, ERR_LIMIT, "no memory to count what rules say");
}

void tallies_fini(struct tallies *t)
{
    arena_fini(&t->arena);
}

/* Which rules the one that has just been run read by itself. */
static void note_reads(struct tally_job *job, const struct memo *memo)
{
    const struct ruleset *rs = job->r->rs;
    const struct subject_defs *defs = &rs->subjects[job->r->kind];

    for (uint16_t i = 0; i < defs->rule_count; i++)
        if (memo->reads.rules[i / 64] >> (i % 64) & 1)
            job->t->items[defs->rules[i]].is_read = true;
}

static void count(struct tally_job *job, uint16_t rule)
{
    const struct memo *memo = &job->r->rs->memos[rule];
    struct tally *tally = &job->t->items[rule];

    uint64_t said = (uint64_t)memo->given.form << 32 ^ (uint64_t)memo->given.integer << 34;

    job->t->signature = (job->t->signature ^ said ^ rule) * 0x9e3779b97f4a7c15u;
    job->t->signature ^= job->t->signature >> 29;
    uint64_t *counter = memo->is_waived                   ? &tally->waived
                        : memo->given.form == GIVEN_TRUE  ? &tally->met
                        : memo->given.form == GIVEN_FALSE ? &tally->unmet
                                                          : &tally->other;
    tally->nothing += memo->given.form == GIVEN_NIL && !memo->is_waived;
    if ((*counter)++ == 0)
        job->t->has_news = true;
}

static int take_in_lua(lua_State *L)
{
    struct tally_job *job = lua_touserdata(L, 1);
    struct ruleset *rs = job->r->rs;
    const struct subject_defs *defs = &rs->subjects[job->r->kind];

    for (; job->next < defs->rule_count; job->next++) {
        uint16_t rule = defs->rules[job->next];
        reads_clear(rs, &job->reads);
        rs->reads = &job->reads;
        view_rule(L, rs, rule);
        count(job, rule);
        note_reads(job, &rs->memos[rule]);
    }
    return 0;
}

static void take_failure(struct tally_job *job, const struct err *why)
{
    struct ruleset *rs = job->r->rs;
    struct tally *tally = &job->t->items[rs->subjects[job->r->kind].rules[job->next++]];

    rs->running_count = 0;
    rs->epoch++; /* marks left by the rules that were cut short */
    tally->failed++;
    job->t->stopped += sandbox_was_spent(&rs->sandbox) || words_is_endless(why->msg);
    if (!tally->failure)
        tally->failure = arena_strdup(&job->t->arena, why->msg);
    job->has_memory = job->has_memory && tally->failure;
}

enum err_code tallies_take(struct tallies *t, struct record *r, int64_t now, struct err *err)
{
    struct tally_job job = { .t = t, .r = r, .has_memory = true };
    struct err why;

    t->signature = 0;
    t->has_news = false;
    record_begin(r, now, &job.reads);
    while (job.next < r->rs->subjects[r->kind].rule_count) {
        lua_pushcfunction(r->rs->sandbox.L, take_in_lua);
        lua_pushlightuserdata(r->rs->sandbox.L, &job);
        enum err_code rc = sandbox_call(&r->rs->sandbox, 1, 0, &why);
        if (rc == ERR_BUSY) { /* the same once more, counted */
            r->rs->running_count = 0;
            r->rs->epoch++;
        } else if (rc != OK) {
            take_failure(&job, &why);
        }
    }
    sandbox_trust(&r->rs->sandbox);
    record_end(r);
    return job.has_memory ? OK : err_set(err, ERR_LIMIT, "no memory to count what rules say");
}
