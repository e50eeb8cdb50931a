/* judge.c - what the rules say of a record: all of them, or, for a record that is kept between events, those
 * that read what has changed. See record.h. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/record_internal.h"
#include "lua/state.h"

/* ---- all ---- */

struct rule_job {
    struct ruleset *rs;
    uint16_t rule;
    struct buf *out;
};

static int rule_in_lua(lua_State *L)
{
    struct rule_job *job = lua_touserdata(L, 1);

    view_push_rule(L, job->rs, job->rule);
    convert_write_scalar(L, -1, job->out);
    return 0;
}

enum err_code record_judge(struct record *r, int64_t now, judged_fn *fn, void *arg, struct err *err)
{
    struct ruleset *rs = r->rs;
    struct reads reads;
    struct buf text = { 0 };
    struct err why;
    enum err_code rc = OK;

    record_begin(r, now, &reads);
    for (uint16_t i = 0; i < rs->rule_count && rc == OK; i++) {
        struct rule_job job = { .rs = rs, .rule = i, .out = &text };
        if (rs->rules[i].of != r->kind || !rs->rules[i].is_decision)
            continue;
        buf_reset(&text);
        reads_clear(&reads);
        rs->reads = &reads;
        rs->record = r;
        lua_pushcfunction(rs->sandbox.L, rule_in_lua);
        lua_pushlightuserdata(rs->sandbox.L, &job);
        bool failed = sandbox_call(&rs->sandbox, 1, 0, &why) != OK;
        if (failed) {
            for (int k = 0; k < rs->running_count; k++) /* it may succeed at what it waited for */
                reads_merge(&reads, &rs->memos[rs->running[k]].reads);
            rs->running_count = 0;
            rs->epoch++; /* marks left by the rules that were cut short */
            buf_reset(&text);
            json_write_cstr(&text, why.msg);
        }
        if (text.failed)
            rc = err_set(err, ERR_LIMIT, "no memory to judge %s", r->subject);
        else
            fn(&(struct judged){ .name = rs->rules[i].name,
                                 .value = buf_cstr(&text),
                                 .is_error = failed,
                                 .is_alert = rs->rules[i].is_alert,
                                 .wake = reads.wake },
               arg);
    }
    rs->record = NULL;
    rs->reads = &r->rs->unread;
    buf_fini(&text);
    return rc;
}

/* ---- judging again, only what may have changed ---- */

struct failure_job {
    struct ruleset *rs;
    const char *message;
    uint32_t value;
};

static int failure_in_lua(lua_State *L)
{
    struct failure_job *job = lua_touserdata(L, 1);
    job->value = kept_intern_failure(L, job->rs, job->message);
    return 0;
}

/*
 * A rule failed while `top` was judged: the innermost one that was running. It is remembered as failed, so
 * that whoever reads it fails with the same message. False when that was `top` itself.
 */
static enum err_code keep_failure(bool *is_top, struct record *r, uint16_t top, struct err *why)
{
    struct ruleset *rs = r->rs;
    struct failure_job job = { .rs = rs, .message = why->msg };
    uint16_t failed = rs->running_count ? rs->running[rs->running_count - 1] : top;
    struct memo *memo = &rs->memos[failed];
    struct kept *kept = &r->kept[failed];
    struct err err;

    for (int i = 0; i < rs->running_count; i++)
        rs->memos[rs->running[i]].epoch = rs->epoch - 1; /* cut short: to be run again */
    rs->running_count = 0;
    lua_pushcfunction(rs->sandbox.L, failure_in_lua);
    lua_pushlightuserdata(rs->sandbox.L, &job);
    if (sandbox_call(&rs->sandbox, 1, 0, &err) != OK)
        return err_set(why, err.code, "%s", err.msg);
    memo->epoch = rs->epoch;
    memo->is_running = false;
    memo->has_failed = true;
    memo->had_value = kept->has_value;
    memo->old_value = kept->value;
    memo->is_changed = !kept->has_value || kept->value != job.value;
    *kept = (struct kept){ .value = job.value,
                           .has_value = true,
                           .wake = memo->reads.own_wake }; /* it may succeed then */
    *is_top = failed == top;
    return OK;
}

struct rejudge_job {
    struct ruleset *rs;
    uint16_t rule;
};

static int rejudge_in_lua(lua_State *L)
{
    struct rejudge_job *job = lua_touserdata(L, 1);
    view_push_rule(L, job->rs, job->rule);
    return 0;
}

/* Bring one rule of a kept record up to date. */
static enum err_code rejudge_rule(struct record *r, uint16_t rule, struct err *err)
{
    struct ruleset *rs = r->rs;
    struct reads reads;
    bool is_done = false;

    while (!is_done && !(rs->memos[rule].epoch == rs->epoch)) {
        struct rejudge_job job = { rs, rule };
        struct err why;
        reads_clear(&reads);
        rs->reads = &reads;
        rs->running_count = 0;
        lua_pushcfunction(rs->sandbox.L, rejudge_in_lua);
        lua_pushlightuserdata(rs->sandbox.L, &job);
        if (sandbox_call(&rs->sandbox, 1, 0, &why) == OK)
            return OK;
        if (keep_failure(&is_done, r, rule, &why) != OK)
            return err_set(err, why.code, "%s", why.msg);
    }
    return OK;
}

/* A kept value as JSON; a failure's message goes through `b`. */
static const char *shown(const struct ruleset *rs, uint32_t value, bool *is_error, struct buf *b)
{
    const char *text = kept_text(rs, value);

    *is_error = text[0] == '!';
    if (!*is_error)
        return text;
    buf_reset(b);
    json_write_cstr(b, text + 1);
    return buf_cstr(b);
}

static void tell_changed(struct record *r, uint16_t rule, judged_fn *fn, void *arg)
{
    const struct memo *memo = &r->rs->memos[rule];
    struct judged j = { .name = r->rs->rules[rule].name,
                        .is_alert = r->rs->rules[rule].is_alert,
                        .wake = r->kept[rule].wake };
    struct buf now = { 0 }, before = { 0 };

    j.value = shown(r->rs, r->kept[rule].value, &j.is_error, &now);
    if (memo->had_value)
        j.old_value = shown(r->rs, memo->old_value, &j.old_is_error, &before);
    fn(&j, arg);
    buf_fini(&now);
    buf_fini(&before);
}

enum err_code record_rejudge(int64_t *wake, struct record *r, int64_t now, judged_fn *fn, void *arg,
                             struct err *err)
{
    struct ruleset *rs = r->rs;
    struct reads reads;
    enum err_code rc = OK;

    *wake = TIME_NEVER;
    if (!r->kept && !(r->kept = calloc((size_t)rs->rule_count + 1, sizeof(*r->kept))))
        return err_set(err, ERR_LIMIT, "no memory to judge %s", r->subject);
    record_begin(r, now, &reads);
    rs->is_keeping = true;
    for (uint16_t i = 0; i < rs->rule_count && rc == OK; i++)
        if (rs->rules[i].of == r->kind)
            rc = rejudge_rule(r, i, err);
    for (uint16_t i = 0; i < rs->rule_count && rc == OK; i++) {
        if (rs->rules[i].of != r->kind)
            continue;
        if (r->kept[i].wake < *wake)
            *wake = r->kept[i].wake;
        if (rs->memos[i].is_changed && rs->rules[i].is_decision)
            tell_changed(r, i, fn, arg);
    }
    if (rc == OK) {
        memset(r->unjudged, 0, sizeof(r->unjudged));
    } else {
        free(r->kept); /* some of it may be of this judging, some of the one before */
        r->kept = NULL;
    }
    rs->is_keeping = false;
    rs->record = NULL;
    rs->reads = &rs->unread;
    return rc;
}

const char *const *ruleset_decisions(struct ruleset *rs, enum subject_kind kind, int *count)
{
    *count = rs->decision_counts[kind];
    if (rs->decisions[kind])
        return rs->decisions[kind];
    const char **names = arena_alloc(&rs->arena, sizeof(*names) * (size_t)(rs->rule_count + 1));
    for (uint16_t i = 0; names && i < rs->rule_count; i++)
        if (rs->rules[i].of == kind && rs->rules[i].is_decision)
            names[(*count)++] = rs->rules[i].name;
    rs->decisions[kind] = names;
    rs->decision_counts[kind] = *count;
    return names;
}
