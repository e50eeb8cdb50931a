/*
 * replay.h - is what is derived what the log makes of it?
 *
 * Everything is made again, commit by commit, from the events, the commit list and the archived
 * rules, in a database in memory, and compared with what is stored.
 */
#ifndef PATHWAY_REPLAY_H
#define PATHWAY_REPLAY_H

#include <stdint.h>

#include "base/err.h"
#include "store/compare.h"
#include "store/store.h"

struct replay_result {
    int64_t events, commits, rows;
    int differences; /* tables that differ */
};
/* Called now and then with the events done. NULL allowed. */
typedef void replay_progress_fn(int64_t events, void *arg);
/* `differs` is told of each table that differs. A log that can not be replayed is an error. */
MUST_CHECK enum err_code replay(struct replay_result *out, struct store *source,
                                compare_fn *differs, replay_progress_fn *progress, void *arg,
                                struct err *err);

#endif
