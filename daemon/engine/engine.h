/*
 * engine.h - the one pipeline: batch -> append -> fold -> judge -> feed -> commit.
 *
 * An engine owns the writing connection and the Lua state that folds and judges. All calls are
 * made by one thread (the engine thread), except engine_catalog().
 */
#ifndef PATHWAY_ENGINE_H
#define PATHWAY_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/event.h"

struct engine;

struct engine_options {
    const char *database;
    const char *rules; /* a rules folder */
    struct clock clock;
    /* NULL: each call returns when what it did is durable. Else a thread of its own writes, a call
     * returns when its commit has been handed over, and `durable` is called on that thread for each
     * of them, in order: `why` NULL, or why it is not durable, nor is any after it until `durable`
     * is called without one again. */
    void (*durable)(int64_t ticket, const struct err *why, void *arg);
    void *arg;
};

/*
 * Open the database, load the rules, bring all that is derived up to date (after a crash, a change
 * of rules, or time that passed while nobody ran). The errors of store_open() and rulebook_load().
 */
MUST_CHECK enum err_code engine_open(struct engine **out, const struct engine_options *options,
                                     struct err *err);
void engine_close(struct engine *e);

/* What is needed to check events on another thread: the types of the rules in force, which live as
 * long as those (call it before any others are tried), and a key that never changes. */
const struct catalog *engine_catalog(const struct engine *e);
const uint8_t *engine_note_key(const struct engine *e);

enum take_status { TAKE_ACCEPTED, TAKE_DUPLICATE, TAKE_CONFLICT, TAKE_FORBIDDEN };
struct take {
    const struct event *event; /* in: valid, borrowed */
    const char *actor;         /* in: borrowed, NULL allowed */
    const char *hubs; /* in: it may only write about subjects of these, "07 12"; NULL: of any */
    enum take_status status; /* out */
    int64_t seq;             /* out */
    const char *forbidden;   /* out, with TAKE_FORBIDDEN: the subject; the event's own text */
};
/*
 * Take a batch in, in one commit. OK: every item has its status, and decisions and feed are up to
 * date with it, once the commit of engine_ticket() is durable. Any error: nothing of it was taken.
 */
MUST_CHECK enum err_code engine_take(struct engine *e, struct take *items, size_t count,
                                     struct err *err);

/* The instant of the next wake, or TIME_NEVER. */
int64_t engine_next_wake(const struct engine *e);
/* Judge some subjects that are due now (a slice: call again while engine_next_wake() <= now). */
MUST_CHECK enum err_code engine_wake(struct engine *e, struct err *err);

/* Let a subject that is held back, since its hub's rules take long, be due when its turn has come:
 * call it before engine_next_wake(). */
MUST_CHECK enum err_code engine_release(struct engine *e, struct err *err);
/* The monotonic instant at which the next one's turn comes; INT64_MAX: nobody is held back. */
int64_t engine_turn_at(const struct engine *e);

/* Judge all that is due now, slice after slice: for those who open an engine to write and leave. */
MUST_CHECK enum err_code engine_settle(struct engine *e, struct err *err);

/* The last commit that was handed over: 1, 2, 3, ...; 0 when there was none, or none since one
 * failed and the engine began anew from what is durable. */
int64_t engine_ticket(const struct engine *e);

/* Do the tables of what is derived lie behind? Bring them on by a slice, as a commit of its own. */
bool engine_is_behind(const struct engine *e);
MUST_CHECK enum err_code engine_catch_up(struct engine *e, struct err *err);

/* May something that was erased be in the database's files still? Try again to have it leave them;
 * nobody is waited for. */
bool engine_must_scrub(const struct engine *e);
MUST_CHECK enum err_code engine_scrub(struct engine *e, struct err *err);

/* ---- another generation of rules ---- */

struct rulebook;
struct pack_origin;
struct refusals;
/*
 * Begin to judge everything by other rules, beside those in force; what was being tried before is
 * given up. OK: they are taken over. ERR_CONFLICT: they are those in force. `origins` (proposal.h)
 * are borrowed until the end, and kept with the commit that changes over.
 */
MUST_CHECK enum err_code engine_try(struct engine *e, struct rulebook *rules,
                                    const struct pack_origin *origins, struct err *err);
/* Are there rules being tried? Then call engine_try_slice() between batches. */
bool engine_is_trying(const struct engine *e);
void engine_try_progress(const struct engine *e, uint64_t *done, uint64_t *of);
/*
 * Make some more records by them, for as long as the monotonic instant `until` lies ahead, but some
 * in any case; with the last one they become the rules in force in one durable commit, and
 * *replaced is those that were, for rulebook_free() when nobody uses their catalog any more; else
 * NULL. An error: they were given up, and those in force stay. ERR_RULE: *wanting has the packs
 * that may not come into force, for refusals_free() (NULL: no memory).
 */
struct engine_swap {
    struct rulebook *replaced;
    int64_t generation;
    int64_t subjects, changes; /* judged; entries of the feed */
    struct refusals *wanting;
    struct refusals *unclear; /* with `replaced`: what overlays change with no direction, for
                                 refusals_free(); NULL: nothing */
};
MUST_CHECK enum err_code engine_try_slice(struct engine_swap *out, struct engine *e, int64_t until,
                                          struct err *err);
void engine_give_up(struct engine *e);

/* How far the engine has come, with the commit of engine_ticket(). */
struct engine_progress {
    int64_t feed_seq; /* the newest feed entry */
    int64_t commits;  /* in the commit list */
    int64_t tables;   /* the commit that the tables of what is derived stand at */
    bool tables_are_whole;
    int64_t next_wake; /* as engine_next_wake() */
};
void engine_progress(const struct engine *e, struct engine_progress *out);

/* What has been done since the engine opened, and what it holds now. */
struct engine_counters {
    uint64_t rule_runs;
    uint64_t refolds; /* subjects folded anew from the log */
    uint64_t wakes;   /* subjects judged with no event: it was time, or they had been left */
    uint64_t changes; /* feed entries */
    uint64_t live_records;
    uint64_t skipped; /* events, once for each record, of a type or with data that the rules do not
                         have any more */
    uint64_t refold_lag; /* subjects that wait to be folded anew */
    uint64_t held_back;  /* subjects that wait since their hub's rules take long */
    char slow[200];      /* whose: see reader_tell_slow() */
    int64_t generation;
    char digest[65]; /* of its rules, hex */
};
void engine_counters(const struct engine *e, struct engine_counters *out);

/* Append which rules, reducers and moves have failed: as Prometheus' text, or as a JSON list. From
 * any thread. */
void engine_write_failures(const struct engine *e, bool as_metrics, struct buf *out);

/*
 * Commands that write outside the log. `name` is "person.set" {key, details, was?}, "person.erase"
 * {key, was?}, "note.erase" {source, id}; "token.add" {name, scopes, hubs?, expires?},
 * "token.revoke" {name}, "token.keys" {}, which answer {"result", "keys"}: for whoever lets people
 * in, all that is needed to know them; and the host's "keep" (engine/keep.h). *out is the JSON
 * answer, the caller's to free(). ERR_INPUT, ERR_ABSENT.
 */
MUST_CHECK enum err_code engine_command(char **out, struct engine *e, const char *name,
                                        const struct json *params, struct err *err);

#endif
