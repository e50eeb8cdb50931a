/*
 * readers.h - a few readers of the database that answer questions on libuv's worker threads.
 *
 * A reader sees every commit made before its question began. Readers are opened when they are
 * first needed and kept; questions beyond their number wait in line, in order, but those that
 * read all there is ("verify", "replay", "forecast", "whatif") never take the last free reader from
 * the others.
 */
#ifndef PATHWAY_HOST_READERS_H
#define PATHWAY_HOST_READERS_H

#include <stddef.h>

#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "host/metrics.h"

#define READERS_MAX 2

struct readers;

struct readers_options {
    const char *database; /* borrowed */
    struct clock clock;
    size_t max_waiting; /* questions in line before ERR_BUSY */
};

/* Called once on the loop thread. `text` is borrowed for the call; unless OK, `err` says why. */
typedef void reader_answer_fn(void *arg, enum err_code code, const char *text, size_t len,
                              const struct err *err);

MUST_CHECK enum err_code readers_new(struct readers **out, uv_loop_t *loop,
                                     const struct readers_options *options, struct err *err);

/* Texts are copied. `commit`: see reader_want(); `now`: how the engine stands (reader_tell_wake(),
 * reader_tell_slow()), borrowed for the call. ERR_BUSY: too many wait, or stopping; ERR_LIMIT: no
 * memory. Then no call. */
MUST_CHECK enum err_code readers_ask(struct readers *r, const char *question, const char *params,
                                     int64_t commit, const struct figures *now,
                                     reader_answer_fn *done, void *arg, struct err *err);

/* Append what is being answered and what waits, [{"question","tag","state","done","of"}...], in
 * order. `tag`: the parameter by which who asked knows the question again, or null; `done` `of`:
 * subjects, of long questions. */
void readers_write(struct buf *out, struct readers *r);

/* Answer what was asked, take no more, close the readers, then call `done` (at once when nothing is
 * under way). */
void readers_stop(struct readers *r, void (*done)(void *arg), void *arg);

/* After `done` of readers_stop(), or when nothing was ever asked. NULL is allowed. */
void readers_free(struct readers *r);

#endif
