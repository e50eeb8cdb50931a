/* rejudge.c - what the rules say of a record that is kept between events: only those are run that
 * read what has changed. Which these are is found before Lua is entered. See record.h. */
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/record_internal.h"
#include "lua/state.h"

/* ---- failures ---- */

struct failure_job {
    struct record *r;
    uint16_t place;
    const char *message;
    int64_t wake;
};

static int failure_in_lua(lua_State *L)
{
    struct failure_job *job = lua_touserdata(L, 1);
    kept_put_failure(L, job->r, job->place, job->message, job->wake);
    return 0;
}

/* Rules that were running are to be run again. */
static void cut_short(struct ruleset *rs)
{
    for (int i = 0; i < rs->running_count; i++)
        rs->memos[rs->running[i]].epoch = rs->epoch - 1;
    rs->running_count = 0;
}

/* A rule failed while `top` was judged: the innermost one that was running. It is remembered as
 * failed, so that whoever reads it fails with the same message. */
static enum err_code keep_failure(struct record *r, uint16_t top, struct err *why)
{
    struct ruleset *rs = r->rs;
    uint16_t failed = rs->running_count ? rs->running[rs->running_count - 1] : top;
    uint16_t place = rs->rules[failed].place;
    struct memo *memo = &rs->memos[failed];
    struct failure_job job = {
        .r = r, .place = place, .message = why->msg, .wake = memo->reads.own_wake
    }; /* it may succeed then */
    struct err err;
    enum err_code rc;

    cut_short(rs);
    do {
        lua_pushcfunction(rs->sandbox.L, failure_in_lua);
        lua_pushlightuserdata(rs->sandbox.L, &job);
        rc = sandbox_call(&rs->sandbox, 1, 0, &err);
    } while (rc == ERR_BUSY);
    if (rc != OK)
        return err_set(why, err.code, "%s", err.msg);
    memo->epoch = rs->epoch;
    memo->is_running = false;
    memo->has_failed = true;
    return OK;
}

/* ---- which rules may say something else ---- */

static void set_bit(uint64_t *bits, uint16_t i)
{
    bits[i / 64] |= 1ull << (i % 64);
}

static bool is_touched(const struct record *r)
{
    uint64_t any = 0;

    for (uint16_t i = 0; i < r->rs->fact_words; i++)
        any |= r->unjudged[i];
    return any != 0;
}

static void set_all(uint64_t *bits, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++)
        set_bit(bits, i);
}

/* Those that read a touched fact, among all that ever did. */
static void find_touched(const struct record *r)
{
    struct ruleset *rs = r->rs;
    const struct subject_defs *defs = &rs->subjects[r->kind];
    uint64_t readers[RULES_MAX / 64];

    memset(readers, 0, rs->rule_words * sizeof(readers[0]));
    for (uint16_t w = 0; w < rs->fact_words; w++)
        for (uint64_t bits = r->unjudged[w]; bits; bits &= bits - 1)
            for (uint16_t i = 0; i < rs->rule_words; i++)
                readers[i] |= defs->fact_readers[(w * 64u + (unsigned)__builtin_ctzll(bits)) *
                                                     rs->rule_words +
                                                 i];
    for (uint16_t w = 0; w < rs->rule_words; w++) {
        for (uint64_t bits = readers[w]; bits; bits &= bits - 1) {
            uint16_t place = (uint16_t)(w * 64 + __builtin_ctzll(bits));
            if (kept_reads(r, place, r->unjudged, NULL))
                set_bit(rs->anew, place);
        }
    }
}

/* Those that must be run: they read a touched fact, waited for an instant which has come, or
 * failed. */
static void find_anew(const struct record *r, int64_t now)
{
    struct ruleset *rs = r->rs;
    uint16_t count = rs->subjects[r->kind].rule_count;

    memset(rs->anew, 0, rs->rule_words * sizeof(rs->anew[0]));
    if (!RECORD_TRACKING || r->failures == count) {
        set_all(rs->anew, count);
        return;
    }
    find_touched(r);
    for (uint16_t i = 0; r->is_stirred && i < rs->rule_words; i++)
        rs->anew[i] |= rs->supposed_readers[r->kind][i];
    for (uint16_t i = 0; r->failures > 0 && i < count; i++)
        if (!r->kept[i].is_good)
            set_bit(rs->anew, i);
    for (uint16_t i = 0; i < r->wakes.count; i++)
        if (r->wakes.at[i] <= now)
            set_bit(rs->anew, r->wakes.places[i]);
}

/* Of the rules that ever read the one at `place`, add those that read a stale one now. */
static void add_readers(const struct record *r, uint16_t place, uint64_t *added)
{
    struct ruleset *rs = r->rs;
    const uint64_t *readers = rs->subjects[r->kind].rule_readers + (size_t)place * rs->rule_words;

    for (uint16_t w = 0; w < rs->rule_words; w++) {
        for (uint64_t bits = readers[w] & ~rs->stale[w]; bits; bits &= bits - 1) {
            uint16_t reader = (uint16_t)(w * 64 + __builtin_ctzll(bits));
            if (kept_reads(r, reader, NULL, rs->stale)) {
                set_bit(rs->stale, reader);
                set_bit(added, reader);
            }
        }
    }
}

/* Those, all that read one of them, and so on. */
static void find_stale(const struct record *r)
{
    struct ruleset *rs = r->rs;
    uint64_t added[RULES_MAX / 64];
    size_t size = rs->rule_words * sizeof(added[0]);
    bool grew = true;

    memcpy(rs->stale, rs->anew, size);
    memcpy(added, rs->anew, size);
    while (grew) {
        grew = false;
        for (uint16_t w = 0; w < rs->rule_words; w++) {
            uint64_t bits = added[w];
            added[w] = 0;
            grew = grew || bits;
            for (; bits; bits &= bits - 1)
                add_readers(r, (uint16_t)(w * 64 + __builtin_ctzll(bits)), added);
        }
    }
}

/* ---- bringing them up to date ---- */

struct rejudge_job {
    struct record *r;
    uint16_t next; /* place of the rule to look at */
};

static int rejudge_in_lua(lua_State *L)
{
    struct rejudge_job *job = lua_touserdata(L, 1);
    struct ruleset *rs = job->r->rs;
    const struct subject_defs *defs = &rs->subjects[job->r->kind];

    for (; job->next < defs->rule_count; job->next++) {
        uint64_t rest = rs->stale[job->next / 64] >> (job->next % 64);
        if (rest == 0) {
            job->next |= 63;
            continue;
        }
        job->next = (uint16_t)(job->next + __builtin_ctzll(rest));
        if (rs->memos[defs->rules[job->next]].epoch != rs->epoch)
            view_rule(L, rs, defs->rules[job->next]);
    }
    return 0;
}

/* One protected call for all of them; after a failure it goes on where it was. */
static enum err_code rejudge_stale(struct record *r, struct err *err)
{
    struct ruleset *rs = r->rs;
    const struct subject_defs *defs = &rs->subjects[r->kind];
    struct rejudge_job job = { .r = r };
    struct reads reads;
    struct err why;
    uint64_t any = 0;

    for (uint16_t i = 0; i < rs->rule_words; i++)
        any |= rs->stale[i];
    while (any) {
        reads_clear(rs, &reads);
        rs->reads = &reads;
        rs->running_count = 0;
        lua_pushcfunction(rs->sandbox.L, rejudge_in_lua);
        lua_pushlightuserdata(rs->sandbox.L, &job);
        if (sandbox_call(&rs->sandbox, 1, 0, &why) == OK)
            return OK;
        if (why.code == ERR_BUSY) { /* the same once more */
            cut_short(rs);
            continue;
        }
        if (sandbox_was_spent(&rs->sandbox) && spent_note(rs, why.msg)) {
            set_all(rs->anew, defs->rule_count);
            set_all(rs->stale, defs->rule_count);
            rs->epoch++;
            job.next = 0;
            continue;
        }
        bool is_of_a_rule =
            job.next < defs->rule_count && (rs->stale[job.next / 64] >> (job.next % 64) & 1);
        if (why.code == ERR_IO || !is_of_a_rule || /* a lack of memory is no fault of the rule */
            keep_failure(r, defs->rules[job.next], &why) != OK)
            return err_set(err, why.code, "%s", why.msg);
    }
    return OK;
}

/* A kept value as JSON; a failure's message goes through `b`. */
static const char *shown(const struct ruleset *rs, uint32_t value, bool *is_error, struct buf *b)
{
    size_t len;
    const char *text = kept_text(rs, value, &len);

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
    uint16_t place = r->rs->rules[rule].place;
    struct judged j = { .name = r->rs->rules[rule].name,
                        .is_alert = r->rs->rules[rule].is_alert,
                        .is_own = r->rs->rules[rule].is_own,
                        .wake = kept_wake(r, place) };
    struct buf now = { 0 }, before = { 0 };

    j.value = shown(r->rs, r->kept[place].value, &j.is_error, &now);
    if (memo->had_value)
        j.old_value = shown(r->rs, memo->old_value, &j.old_is_error, &before);
    fn(&j, arg);
    buf_fini(&now);
    buf_fini(&before);
}

static void tell_all_changed(struct record *r, judged_fn *fn, void *arg)
{
    const struct ruleset *rs = r->rs;
    const struct subject_defs *defs = &rs->subjects[r->kind];

    for (uint16_t w = 0; w < rs->rule_words; w++) {
        for (uint64_t bits = rs->stale[w]; bits; bits &= bits - 1) {
            uint16_t rule = defs->rules[w * 64 + __builtin_ctzll(bits)];
            if (rs->memos[rule].is_changed && rs->rules[rule].is_decision)
                tell_changed(r, rule, fn, arg);
        }
    }
}

/* What the next judging has to look at. */
static void sum_up(struct record *r)
{
    memset(r->unjudged, 0, r->rs->fact_words * sizeof(r->unjudged[0]));
    r->wake = TIME_NEVER;
    r->is_stirred = false;
    for (uint16_t i = 0; i < r->wakes.count; i++)
        if (r->wakes.at[i] < r->wake)
            r->wake = r->wakes.at[i];
}

enum err_code record_rejudge(int64_t *wake, struct record *r, int64_t now, judged_fn *fn, void *arg,
                             struct err *err)
{
    struct ruleset *rs = r->rs;
    struct reads reads;
    enum err_code rc = OK;

    *wake = TIME_NEVER;
    if (!r->kept && !kept_begin(r))
        return err_set(err, ERR_LIMIT, "no memory to judge %s", r->subject);
    if (RECORD_TRACKING && r->failures == 0 && r->wake > now && !is_touched(r) && !r->is_stirred) {
        *wake = r->wake;
        return OK;
    }
    record_begin(r, now, &reads);
    rs->is_keeping = true;
    find_anew(r, now);
    find_stale(r);
    rc = rejudge_stale(r, err);
    sandbox_trust(&rs->sandbox);
    if (rc == OK) {
        sum_up(r);
        *wake = r->wake;
        tell_all_changed(r, fn, arg);
    } else {
        kept_end(r); /* some of it may be of this judging, some of the one before */
    }
    rs->is_keeping = false;
    record_end(r);
    return rc;
}

bool record_is_judged(const struct record *r)
{
    return r->kept != NULL;
}

void record_each_failure(const struct record *r, failed_rule_fn *fn, void *arg)
{
    const struct ruleset *rs = r->rs;
    const struct subject_defs *defs = &rs->subjects[r->kind];
    size_t len;

    for (uint16_t i = 0; r->kept && r->failures > 0 && i < defs->rule_count; i++)
        if (r->kept[i].has_value && !r->kept[i].is_good)
            fn(rs->rules[defs->rules[i]].name, kept_text(rs, r->kept[i].value, &len) + 1, arg);
}
