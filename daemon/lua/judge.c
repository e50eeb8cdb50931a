/* judge.c - what the rules say of a record. See record.h; of one that is kept between events:
 * rejudge.c. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/record_internal.h"
#include "lua/state.h"

struct answer {
    size_t text; /* where its text begins, among those of all */
    int64_t wake;
    bool is_error;
};
struct judge_job {
    struct record *r;
    struct reads reads; /* of the rule at hand */
    struct buf text;
    struct answer *answers; /* by place */
    uint16_t next;          /* place of the rule at hand */
};

static int judge_in_lua(lua_State *L)
{
    struct judge_job *job = lua_touserdata(L, 1);
    struct ruleset *rs = job->r->rs;
    const struct subject_defs *defs = &rs->subjects[job->r->kind];

    for (; job->next < defs->rule_count; job->next++) {
        struct answer *answer = &job->answers[job->next];
        if (!rs->rules[defs->rules[job->next]].is_decision)
            continue;
        reads_clear(rs, &job->reads);
        rs->reads = &job->reads;
        view_push_rule(L, rs, defs->rules[job->next]);
        answer->text = job->text.len;
        convert_write_scalar(L, -1, &job->text);
        buf_add(&job->text, "", 1);
        answer->wake = job->reads.wake;
        lua_settop(L, 1);
    }
    return 0;
}

/* What rules gave so far is forgotten, as are the marks of those that were cut short. */
static void begin_anew(struct ruleset *rs)
{
    rs->running_count = 0;
    rs->epoch++;
}

/* The rule at hand failed. */
static void take_failure(struct judge_job *job, const struct err *why)
{
    struct ruleset *rs = job->r->rs;
    struct answer *answer = &job->answers[job->next++];

    for (int i = 0; i < rs->running_count; i++) /* it may succeed at what it waited for */
        reads_merge(rs, &job->reads, &rs->memos[rs->running[i]].reads);
    begin_anew(rs);
    *answer = (struct answer){ .text = job->text.len, .wake = job->reads.wake, .is_error = true };
    json_write_cstr(&job->text, why->msg);
    buf_add(&job->text, "", 1);
}

/* One protected call for all of them; after a failure it goes on with the next. */
static void judge_all(struct judge_job *job)
{
    struct ruleset *rs = job->r->rs;
    struct err why;

    while (job->next < rs->subjects[job->r->kind].rule_count) {
        lua_pushcfunction(rs->sandbox.L, judge_in_lua);
        lua_pushlightuserdata(rs->sandbox.L, job);
        if (sandbox_call(&rs->sandbox, 1, 0, &why) == OK)
            continue;
        if (why.code == ERR_BUSY) { /* the same once more */
            begin_anew(rs);
            continue;
        }
        if (sandbox_was_spent(&rs->sandbox) && spent_note(rs, why.msg)) {
            begin_anew(rs);
            job->next = 0;
            continue;
        }
        take_failure(job, &why);
        if (why.code == ERR_IO) { /* no fault of the rule */
            job->text.failed = true;
            return;
        }
    }
}

static void tell_all(const struct judge_job *job, bool with_criteria, judged_fn *fn, void *arg)
{
    const struct ruleset *rs = job->r->rs;
    const struct subject_defs *defs = &rs->subjects[job->r->kind];

    for (uint16_t i = 0; i < defs->rule_count; i++) {
        const struct rule_def *rule = &rs->rules[defs->rules[i]];
        if (rule->is_decision || (with_criteria && !rule->is_national_part))
            fn(&(struct judged){ .name = rule->name,
                                 .value = job->text.data + job->answers[i].text,
                                 .is_error = job->answers[i].is_error,
                                 .is_alert = rule->is_alert,
                                 .is_own = rule->is_own,
                                 .is_criterion = !rule->is_decision,
                                 .strictness = &rule->strictness,
                                 .wake = job->answers[i].wake },
               arg);
    }
}

static enum err_code judge_rules(struct record *r, int64_t now, bool with_criteria, judged_fn *fn,
                                 void *arg, struct err *err)
{
    struct judge_job job = { .r = r };
    enum err_code rc = OK;

    job.answers = calloc((size_t)r->rs->subjects[r->kind].rule_count + 1, sizeof(*job.answers));
    if (job.answers) {
        record_begin(r, now, &job.reads);
        judge_all(&job);
        sandbox_trust(&r->rs->sandbox);
        record_end(r);
    }
    if (!job.answers || job.text.failed)
        rc = err_set(err, ERR_LIMIT, "no memory to judge %s", r->subject);
    else
        tell_all(&job, with_criteria, fn, arg);
    free(job.answers);
    buf_fini(&job.text);
    return rc;
}

enum err_code record_judge(struct record *r, int64_t now, judged_fn *fn, void *arg, struct err *err)
{
    return judge_rules(r, now, false, fn, arg, err);
}

enum err_code record_judge_rules(struct record *r, int64_t now, judged_fn *fn, void *arg,
                                 struct err *err)
{
    return judge_rules(r, now, true, fn, arg, err);
}

/* ---- one rule ---- */

struct one_job {
    struct record *r;
    uint16_t rule;
    struct buf text;
};

static int judge_one_in_lua(lua_State *L)
{
    struct one_job *job = lua_touserdata(L, 1);

    view_push_rule(L, job->r->rs, job->rule);
    convert_write_scalar(L, -1, &job->text);
    return 0;
}

enum err_code record_judge_rule(struct record *r, const char *rule, int64_t now, judged_fn *fn,
                                void *arg, struct err *err)
{
    struct ruleset *rs = r->rs;
    const struct strmap_item *item = strmap_find(&rs->rule_names, rule, strlen(rule));
    struct one_job job = { .r = r };
    struct reads reads;

    if (!item || rs->rules[item->as.num].of != r->kind)
        return record_no_such_rule(r, rule, err);
    job.rule = (uint16_t)item->as.num;
    enum err_code rc;
    do { /* once more, counted, when it is suspect */
        buf_reset(&job.text);
        record_begin(r, now, &reads);
        rc = record_run(r, judge_one_in_lua, &job, err);
    } while (rc == ERR_BUSY);
    sandbox_trust(&rs->sandbox);
    bool is_error = rc == ERR_RULE || rc == ERR_LIMIT;
    if (is_error) {
        for (int i = 0; i < rs->running_count; i++) /* it may succeed at what it waited for */
            reads_merge(rs, &reads, &rs->memos[rs->running[i]].reads);
        buf_reset(&job.text);
        json_write_cstr(&job.text, err->msg);
    }
    if (job.text.failed)
        rc = err_set(err, ERR_LIMIT, "no memory to judge %s", r->subject);
    else if (is_error)
        rc = OK;
    if (rc == OK)
        fn(&(struct judged){ .name = rs->rules[job.rule].name,
                             .value = buf_cstr(&job.text),
                             .is_error = is_error,
                             .is_alert = rs->rules[job.rule].is_alert,
                             .wake = reads.wake },
           arg);
    buf_fini(&job.text);
    return rc;
}

/* ---- all decisions ---- */

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

const char *ruleset_decision_list(struct ruleset *rs, enum subject_kind kind)
{
    struct buf out = { 0 };
    int count;
    const char *const *names = ruleset_decisions(rs, kind, &count);

    if (rs->decision_lists[kind] || !names)
        return rs->decision_lists[kind];
    buf_char(&out, '[');
    for (int i = 0; i < count; i++) {
        buf_str(&out, i > 0 ? ",\n" : "");
        json_write_cstr(&out, names[i]);
    }
    buf_char(&out, ']');
    if (!out.failed)
        rs->decision_lists[kind] = arena_strdup(&rs->arena, buf_cstr(&out));
    buf_fini(&out);
    return rs->decision_lists[kind];
}

void record_write_decisions(struct buf *out, const struct record *r)
{
    const struct ruleset *rs = r->rs;
    const struct subject_defs *defs = &rs->subjects[r->kind];
    const char *comma = "";
    size_t len;

    buf_char(out, '[');
    for (uint16_t i = 0; r->kept && i < defs->rule_count; i++) {
        if (!rs->rules[defs->rules[i]].is_decision)
            continue;
        const char *text = kept_text(rs, r->kept[i].value, &len);
        buf_str(out, comma);
        comma = ",\n"; /* no JSON text holds a line end: items can be found without parsing */
        if (text[0] != '!') {
            buf_add(out, text, len);
            continue;
        }
        buf_str(out, "{\"error\":");
        json_write_string(out, text + 1, len - 1);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}
