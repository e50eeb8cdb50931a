/*
 * personal.h - people and notes: the only place with personal data, outside the log.
 *
 * Erasing deletes rows here; the log, its hash chain and every decision stay as they were.
 */
#ifndef PATHWAY_STORE_PERSONAL_H
#define PATHWAY_STORE_PERSONAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/* Keep what a key stands for: `details` is a JSON object (name, role, email ...). Replaces. */
MUST_CHECK enum err_code person_put(struct store *s, const char *key, const char *details,
                                    struct err *err);
/* *out is the caller's, for free(). ERR_ABSENT: nothing is kept under this key. */
MUST_CHECK enum err_code person_get(char **out, struct store *s, const char *key, struct err *err);
/* ERR_ABSENT: nothing was kept. Overwritten on disk (secure_delete). */
MUST_CHECK enum err_code person_erase(struct store *s, const char *key, struct err *err);

/* Free texts of an event, which log_add_note() has kept. */
typedef enum err_code note_fn(const char *path, const char *text, void *arg, struct err *err);
MUST_CHECK enum err_code note_each(struct store *s, int64_t seq, note_fn *fn, void *arg,
                                   struct err *err);
/* Erase all notes of an event. ERR_ABSENT: it has none. */
MUST_CHECK enum err_code note_erase(struct store *s, int64_t seq, struct err *err);

/* Whether a person's key occurs in this database's log is not known here: ask the engine. */

#endif
