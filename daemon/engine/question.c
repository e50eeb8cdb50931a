/* question.c - see question.h. Which question is answered where, and what all have in common. */
#include "engine/question.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/spreadsheet.h"
#include "base/text.h"
#include "engine/engine_internal.h"
#include "engine/reader.h"
#include "engine/waiting.h"
#include "engine/warm.h"
#include "store/derived.h"
#include "store/generation.h"
#include "store/log.h"

static const struct {
    const char *name;
    answer_fn *answer;
} QUESTIONS[] = {
    { "subject", answer_subject },       { "list", answer_list },
    { "decisions", answer_decisions },   { "events", answer_events },
    { "changes", answer_changes },       { "person", answer_person },
    { "status", answer_status },         { "registered", answer_registered },
    { "verify", answer_verify },         { "replay", answer_replay },
    { "cursors", answer_cursors },       { "state", answer_state },
    { "quarantine", answer_quarantine }, { "forecast", answer_forecast },
    { "tokens", answer_tokens },         { "explain", answer_explain },
    { "history", answer_history },       { "subject_events", answer_subject_events },
    { "restated", answer_restated },     { "summary", answer_summary },
    { "rules", answer_rules },           { "whatif", answer_whatif },
    { "advise", answer_advise },         { "csv", answer_table },
    { "overlay", answer_overlay },       { "faults", answer_faults },
    { "backup", answer_backup },         { "place", answer_place },
};
#define QUESTION_COUNT (sizeof(QUESTIONS) / sizeof(QUESTIONS[0]))

/* The rules by which the database was last judged, as the snapshot knows it; none when nothing has
 * judged it yet. */
static enum err_code follow_rules(struct reader *r, struct err *err)
{
    struct generation last;
    struct rulebook *rules = NULL;

    if (r->has_own_rules)
        return OK;
    enum err_code rc = generation_last(&last, r->store, err);
    if (rc != OK || last.number == r->today_number)
        return rc;
    rc = rulebook_to_ask(&rules, r->store, last.number, err);
    if (rc != OK)
        return err_at(err, "generation %lld", (long long)last.number);
    reader_drop_tests(r);
    rulebook_free(r->today);
    r->rules = r->today = rules;
    r->today_number = last.number;
    return OK;
}

enum err_code reader_open(struct reader **out, const char *database, const char *rules,
                          const struct clock *clock, struct err *err)
{
    *out = NULL;
    struct reader *r = calloc(1, sizeof(*r));
    if (!r)
        return err_set(err, ERR_LIMIT, "no memory for a reader");
    r->clock = *clock;
    r->has_own_rules = rules != NULL;
    enum err_code rc = store_open(&r->store, database, STORE_READ, err);
    if (rc == OK)
        rc = rules ? rulebook_load(&r->today, rules, NULL, NULL, err) : follow_rules(r, err);
    r->rules = r->today;
    if (rc == OK)
        *out = r;
    else
        reader_close(r);
    return rc;
}

void reader_forget(struct reader *r)
{
    warm_free(r->warm);
    r->warm = NULL;
}

void reader_close(struct reader *r)
{
    if (!r)
        return;
    reader_forget(r);
    world_close(r->world);
    arena_fini(&r->arena);
    store_close(r->store);
    reader_drop_tests(r);
    rulebook_free(r->past);
    rulebook_free(r->today);
    free(r);
}

/* An answer that is CSV, for people who asked for a spreadsheet. */
static enum err_code suit_people(struct buf *out, size_t start, const struct json *params,
                                 struct err *err)
{
    const char *format;
    struct buf table = { 0 };

    if (params_text(&format, params, "format", err) != OK)
        return err->code;
    if (!format || strcmp(format, FORMAT_SPREADSHEET) != 0 || out->failed)
        return OK;
    enum err_code rc = spreadsheet_write(&table, buf_cstr(out) + start, out->len - start, err);
    out->len = start;
    buf_add(out, buf_cstr(&table), table.len);
    buf_fini(&table);
    return rc;
}

enum err_code question_answer(struct buf *out, struct reader *r, const char *question,
                              const struct json *params, struct err *err)
{
    const char *names[QUESTION_COUNT];
    size_t start = out->len;
    char hint[120];

    for (size_t i = 0; i < QUESTION_COUNT; i++) {
        names[i] = QUESTIONS[i].name;
        if (strcmp(names[i], question) != 0)
            continue;
        enum err_code rc = store_snapshot(r->store, err);
        if (rc != OK)
            return rc;
        rc = follow_rules(r, err);
        if (rc == OK)
            rc = QUESTIONS[i].answer(out, r, params, err);
        if (rc == OK)
            rc = suit_people(out, start, params, err);
        store_snapshot_end(r->store);
        world_close(r->world);
        r->world = NULL;
        r->rules = r->today;
        arena_reset(&r->arena);
        if (rc == OK && out->failed)
            rc = err_set(err, ERR_LIMIT, "no memory for the answer");
        return rc;
    }
    return err_set(err, ERR_INPUT, "unknown question '%s'%s", question,
                   text_hint(hint, sizeof(hint), question, names, QUESTION_COUNT));
}

/* ---- parameters ---- */

enum err_code params_check(const struct json *params, const char *const *known, struct err *err)
{
    size_t count = 0;
    char hint[120];

    while (known[count])
        count++;
    if (params && params->type != JSON_OBJECT)
        return err_set(err, ERR_INPUT, "parameters: found %s, expected an object",
                       json_type_name(params));
    for (const struct json *p = params ? params->as.first : NULL; p; p = p->next) {
        bool is_known = false;
        for (size_t i = 0; i < count && !is_known; i++)
            is_known = strcmp(p->name, known[i]) == 0;
        if (!is_known)
            return err_set(err, ERR_INPUT, "unknown parameter '%s'%s", p->name,
                           text_hint(hint, sizeof(hint), p->name, known, count));
    }
    return OK;
}

enum err_code params_text(const char **out, const struct json *params, const char *name,
                          struct err *err)
{
    const struct json *v = json_get(params, name);

    *out = NULL;
    if (!v || v->type == JSON_NULL)
        return OK;
    if (v->type != JSON_STRING)
        return err_set(err, ERR_INPUT, "%s: found %s, expected a text", name, json_type_name(v));
    *out = v->as.string;
    return OK;
}

enum err_code params_int(int64_t *out, const struct json *params, const char *name, int64_t min,
                         int64_t max, int64_t otherwise, struct err *err)
{
    const struct json *v = json_get(params, name);
    char brief[64];

    *out = otherwise;
    if (!v || v->type == JSON_NULL)
        return OK;
    bool is_number = v->type == JSON_INT;
    if (is_number) {
        *out = v->as.integer;
    } else if (v->type == JSON_STRING && v->len > 0 && v->len < 19) {
        char *end;
        *out = strtoll(v->as.string, &end, 10);
        is_number = *end == '\0' && v->as.string[0] != ' ' && v->as.string[0] != '+';
    }
    if (!is_number || *out < min || *out > max)
        return err_set(err, ERR_INPUT, "%s: found %s, expected a whole number from %lld to %lld",
                       name, json_brief(v, brief, sizeof(brief)), (long long)min, (long long)max);
    return OK;
}

static enum err_code params_moment(int64_t *out, bool *given, const struct json *params,
                                   const char *name, struct err *err)
{
    const char *text;

    if (params_text(&text, params, name, err) != OK)
        return err->code;
    *given = text != NULL;
    if (text && moment_parse(out, text, err) != OK)
        return err_at(err, "%s", name);
    return OK;
}

enum err_code params_instants(struct instants *out, struct reader *r, const struct json *params,
                              struct err *err)
{
    const char *rules;

    *out = (struct instants){ .at = clock_now(&r->clock), .known = clock_now(&r->clock) };
    if (params_moment(&out->at, &out->has_at, params, "at", err) != OK ||
        params_moment(&out->known, &out->has_known, params, "known", err) != OK ||
        params_text(&rules, params, "rules", err) != OK)
        return err->code;
    if (rules && strcmp(rules, "current") != 0)
        return err_set(err, ERR_INPUT,
                       "rules: found \"%s\", expected current (today's rules); without it those in "
                       "force at `known` answer",
                       rules);
    out->is_now = !out->has_at && !out->has_known;
    enum err_code rc =
        out->has_known && !rules ? rules_known_at(r, out->known, err) : rules_of_today(r, err);
    if (rc != OK)
        return rc;
    return out->has_known ? log_seq_known_at(&out->max_seq, r->store, out->known, err)
                          : log_last_seq(&out->max_seq, r->store, err);
}

enum err_code params_csv_or_ndjson(bool *as_ndjson, const struct json *params, struct err *err)
{
    const char *format;

    if (params_text(&format, params, "format", err) != OK)
        return err->code;
    *as_ndjson = format && strcmp(format, "ndjson") == 0;
    if (format && !*as_ndjson && strcmp(format, "csv") != 0 &&
        strcmp(format, FORMAT_SPREADSHEET) != 0)
        return err_set(err, ERR_INPUT,
                       "format: found \"%s\", expected csv, " FORMAT_SPREADSHEET " or ndjson",
                       format);
    return OK;
}

/* ---- the world asked about ---- */

enum err_code reader_need_rules(struct reader *r, struct err *err)
{
    return r->rules ? OK
                    : err_set(err, ERR_INPUT,
                              "this question needs rules: say where they are with --rules");
}

enum err_code reader_world(struct reader *r, int64_t max_seq, bool all, struct err *err)
{
    world_close(r->world);
    r->world = NULL;
    if (reader_need_rules(r, err) != OK || world_open(&r->world, r->store, max_seq, err) != OK)
        return err->code;
    return all ? world_load_all(r->world, err) : OK;
}

enum err_code reader_tables_are_current(bool *out, struct strmap *waiting, struct reader *r,
                                        int64_t now, struct err *err)
{
    struct derived_mark mark = derived_mark(r->store);
    int64_t wake, judged_at, commits, wanted = r->wanted_commit;

    enum err_code rc = wake_first(&wake, r->store, err);
    if (rc == OK)
        rc = log_last_recorded(&judged_at, r->store, err);
    if (rc == OK)
        rc = log_last_commit(&commits, r->store, err);
    bool is_judged = wake > now;
    if (rc == OK && !is_judged && waiting && r->slow && r->slow[0])
        rc = waiting_find(&is_judged, waiting, r, now, err);
    /* The last commit is later than `now` only when a rehearsal's clock stands before it. */
    *out = rc == OK && is_judged && judged_at <= now;
    if (*out && (!mark.is_whole || mark.commit < (wanted ? wanted : commits))) {
        *out = false;
        if (wanted)
            return err_set(err, ERR_BUSY, "the tables are being brought on; ask again");
    }
    return rc;
}

void reader_on_progress(struct reader *r, reader_progress_fn *fn, void *arg)
{
    r->progress = fn;
    r->progress_arg = arg;
}

void reader_tell(const struct reader *r, int64_t done, int64_t of)
{
    if (r->progress)
        r->progress(done, of, r->progress_arg);
}

void reader_want(struct reader *r, int64_t commit)
{
    r->wanted_commit = commit;
}

void reader_tell_slow(struct reader *r, const char *slow)
{
    r->slow = slow;
}

void reader_tell_wake(struct reader *r, int64_t due)
{
    r->is_told_wake = true;
    r->next_wake = due;
}

void write_moment(struct buf *out, int64_t t)
{
    char text[TIME_TEXT];
    json_write_cstr(out, t == TIME_NEVER ? NULL : time_text(t, text));
}
