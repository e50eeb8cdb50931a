/* tally.c - see tally.h. */
#include "lua/tally.h"

#include <string.h>

#include "lua/record_internal.h"
#include "lua/state.h"
#include "lua/uses.h"

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
    if (memo->is_waived)
        tally->waived++;
    else if (memo->given.form == GIVEN_TRUE)
        tally->met++;
    else if (memo->given.form == GIVEN_FALSE)
        tally->unmet++;
    else
        tally->other++;
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
    if (!tally->failure)
        tally->failure = arena_strdup(&job->t->arena, why->msg);
    job->has_memory = job->has_memory && tally->failure;
}

enum err_code tallies_take(struct tallies *t, struct record *r, int64_t now, struct err *err)
{
    struct tally_job job = { .t = t, .r = r, .has_memory = true };
    struct err why;

    t->signature = 0;
    record_begin(r, now, &job.reads);
    while (job.next < r->rs->subjects[r->kind].rule_count) {
        lua_pushcfunction(r->rs->sandbox.L, take_in_lua);
        lua_pushlightuserdata(r->rs->sandbox.L, &job);
        if (sandbox_call(&r->rs->sandbox, 1, 0, &why) != OK)
            take_failure(&job, &why);
    }
    record_end(r);
    return job.has_memory ? OK : err_set(err, ERR_LIMIT, "no memory to count what rules say");
}

bool ruleset_takes(const struct ruleset *rs, enum subject_kind kind, const char *type)
{
    return strmap_find(&rs->subjects[kind].reducer_by_event, type, strlen(type)) != NULL;
}

uint16_t ruleset_rule_count(const struct ruleset *rs)
{
    return rs->rule_count;
}

struct rule_info ruleset_rule(const struct ruleset *rs, uint16_t index)
{
    const struct rule_def *r = &rs->rules[index];
    bool is_composite = r->form == RULE_ALL || r->form == RULE_ANY || r->form == RULE_UNLESS;

    return (struct rule_info){
        .name = r->name,
        .where = r->where,
        .title = r->title,
        .source = r->source,
        .advice = r->advice,
        .of = r->of,
        .is_decision = r->is_decision,
        .is_alert = r->is_alert,
        .is_waivable = r->is_waivable,
        .is_yes_or_no = is_composite || r->need != NEED_NONE || r->is_alert || r->is_waivable ||
                        !r->is_decision,
    };
}

static bool is_criterion_of(const struct rule_def *r, uint16_t index)
{
    for (uint16_t i = 0; i < r->criteria_count; i++)
        if (r->criteria[i] == index)
            return true;
    return false;
}

bool ruleset_is_read(const struct ruleset *rs, uint16_t index)
{
    const struct uses *moves = &rs->uses->moves[rs->rules[index].of];
    bool is_read = moves->is_open || uses_has(moves->rules, index);

    for (uint16_t i = 0; i < rs->rule_count && !is_read; i++)
        is_read = i != index && rs->rules[i].of == rs->rules[index].of &&
                  (rs->uses->rules[i].is_open || uses_has(rs->uses->rules[i].rules, index) ||
                   is_criterion_of(&rs->rules[i], index));
    return is_read;
}

bool ruleset_unset_fact(struct fact_info *out, const struct ruleset *rs, int index)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        const struct subject_defs *defs = &rs->subjects[kind];
        const struct uses *moves = &rs->uses->moves[kind], *reducers = &rs->uses->reducers[kind];
        if (moves->is_open_set || reducers->is_open_set)
            continue; /* any of them may be set */
        for (uint16_t i = 0; i < defs->fact_count; i++) {
            if (i == defs->waivers || uses_has(moves->set, i) || uses_has(reducers->set, i) ||
                index-- > 0)
                continue;
            *out = (struct fact_info){ defs->facts[i].name, defs->facts[i].where,
                                       (enum subject_kind)kind };
            return true;
        }
    }
    return false;
}
