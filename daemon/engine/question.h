/*
 * question.h - everything that can be asked, of a daemon or straight of a database.
 *
 * A reader has a read-only connection and a Lua state of its own and belongs to one thread at a
 * time. Each answer is made from one snapshot.
 *
 * Questions and parameters ("?": may be absent; times are RFC 3339 or a date, which means its start
 * in Europe/London). Unknown parameters are an error with a suggestion. With `known` the rules that
 * were in force then answer, unless `rules` is "current". "subject"   {subject, at?, known?,
 * rules?}                facts, decisions with since and until, next wake "list"      {kind:
 * "school"|"group"|"hub", hub?, q?, where?: {DECISION: "VALUE"}, at?, known?, rules?, limit?,
 * after?} "decisions" {at?, known?, rules?, names?: [..], format: "csv"|"ndjson"}   -> text, as
 * `pathway export decisions` "events"    {known?, format: "csv"|"ndjson", notes?: "no"}  -> text
 * (ndjson: the events as logged, notes put back where they still exist) "registered" {at?, known?,
 * rules?}  -> text: a line of JSON for each registered school, with the register's fields
 *   "forecast"  {until, subject?, hub?, at?, known?, rules?, format?: "json"|"csv"|"ndjson"}   what
 * will change with no further events, each change with its cause "advise"    {subject, decision,
 * until?, at?, known?, rules?}   the smallest sets of events that would make it true "whatif"
 * {set?: {PARAM: VALUE}, files?: [{path, text}], keep?, hub?, at?, known?, format?:
 * "json"|"csv"|"ndjson"} what those rules or parameters would decide differently, now and at the
 * end of past years "changes"   {after?, limit?, hub?, subject?, decision?, scan?, format?:
 * "json"|"csv"|"ndjson"} "after" and "place" {of} (what somebody has in common with the feed): see
 * store/life.h "person"    {key} "summary"   {hub?, at?, known?}   of each kind of subject, how
 * many have which value of each decision with few "rules"     {name?, hub?}         what each rule
 * says of itself, or one of them with its criteria and parameters "tokens"    {}   who may come in
 * over the network, without their secrets "status"    {} "overlay"   {hub}: since when it judges,
 * and how the last attempt to change it ended "verify"    {}   the hash chain:  {"ok", "events",
 * "error"} "replay"    {}   what is derived, made again: {"ok", "events", "commits", "rows",
 * "differences"} "backup"    {}   -> text: the path of a whole copy of the database, made for
 * whoever asks, who opens and removes it
 */
#ifndef PATHWAY_QUESTION_H
#define PATHWAY_QUESTION_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"

struct reader;

/* `rules` NULL: those of the generation that last judged the database, from its archive. */
MUST_CHECK enum err_code reader_open(struct reader **out, const char *database, const char *rules,
                                     const struct clock *clock, struct err *err);
void reader_close(struct reader *r);
/* Let go of what is kept in memory for the next question alone. */
void reader_forget(struct reader *r);

/* Lists and exports of now come from tables that follow behind the log. Inside a daemon: it will do
 * that they stand at this commit or later; else the answer is ERR_BUSY, and may be asked again once
 * they do. 0, as at the beginning: nobody brings them on, and where they are behind the answer is
 * folded from the log. */
void reader_want(struct reader *r, int64_t commit);
/* Inside a daemon: when the next subject is due, which the tables may not say yet. */
void reader_tell_wake(struct reader *r, int64_t due);
/* The same: whose subjects are held back, since their rules take long, "07 13" (debts.h); NULL:
 * nobody's. Lists show them as they were, and say so. Borrowed. */
void reader_tell_slow(struct reader *r, const char *slow);

/* Called now and then while a long question is answered, on the thread that asked, with how far it
 * has come. */
typedef void reader_progress_fn(int64_t done, int64_t of, void *arg);
void reader_on_progress(struct reader *r, reader_progress_fn *fn, void *arg);

/* ERR_INPUT: unknown question or parameter, a date that is none; ERR_ABSENT: an unknown subject
 * (with the nearest) or key. The answer is appended to `out`. */
MUST_CHECK enum err_code question_answer(struct buf *out, struct reader *r, const char *question,
                                         const struct json *params, struct err *err);

/*
 * Fold files of events in memory, with no database, and write decisions at `at` as CSV
 * (`pathway judge`). `names` limits the decisions (NULL: all), `name_count` of them. Events that
 * are refused are told to `refused` ("FILE:LINE: why"), the rest goes on.
 */
typedef void judge_refused_fn(const char *where, const char *status, const char *detail, void *arg);
struct judge_options {
    const char *rules;
    const char *national; /* where the national pack of a hub's own folder is looked for at last;
                             NULL: nowhere */
    int64_t at;
    const char *const *names;
    int name_count;
    bool as_ndjson;
    judge_refused_fn *refused;
    void *arg;
};
MUST_CHECK enum err_code judge_files(struct buf *out, const struct judge_options *options,
                                     const char *const *files, int file_count, struct err *err);

#endif
