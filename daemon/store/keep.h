/*
 * keep.h - what is small, transactional and no part of the log: consumers' places in the feed, what
 * plugins remember, and events that were set aside for a person.
 */
#ifndef PATHWAY_STORE_KEEP_H
#define PATHWAY_STORE_KEEP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/*
 * Several writes in one transaction, of a store that writes: all between keep_begin() and
 * keep_end() is kept, or nothing. keep_end() returns `rc`, or why it could not be kept.
 */
struct keeping {
    struct store *w; /* with the connection that writes; borrowed */
};
MUST_CHECK enum err_code keep_begin(struct keeping *k, struct store *s, struct err *err);
MUST_CHECK enum err_code keep_end(struct keeping *k, enum err_code rc, struct err *err);

MUST_CHECK enum err_code keep_cursor(struct keeping *k, const char *name, int64_t acked,
                                     struct err *err);
MUST_CHECK enum err_code keep_no_cursor(struct keeping *k, const char *name, struct err *err);
/* `json` NULL forgets the key. */
MUST_CHECK enum err_code keep_state(struct keeping *k, const char *plugin, const char *key,
                                    const char *json, struct err *err);
MUST_CHECK enum err_code keep_aside(struct keeping *k, const char *origin, const char *reason,
                                    int64_t received, const char *body, size_t len,
                                    struct err *err);
/* ERR_ABSENT: there is no such number. The bytes leave the file. */
MUST_CHECK enum err_code keep_no_aside(struct keeping *k, int64_t number, struct err *err);

/* ---- reading ---- */

typedef enum err_code cursor_fn(const char *name, int64_t acked, void *arg, struct err *err);
MUST_CHECK enum err_code cursor_each(struct store *s, cursor_fn *fn, void *arg, struct err *err);

typedef enum err_code state_fn(const char *key, const char *json, void *arg, struct err *err);
MUST_CHECK enum err_code state_each(struct store *s, const char *plugin, state_fn *fn, void *arg,
                                    struct err *err);

struct set_aside {
    int64_t number;
    int64_t received;
    const char *origin;
    const char *reason;
    const char *body;
    size_t len;
};
typedef enum err_code aside_fn(const struct set_aside *a, void *arg, struct err *err);
/* Those with a number above `after`, at most `limit`, in order. */
MUST_CHECK enum err_code aside_each(struct store *s, int64_t after, int64_t limit, aside_fn *fn,
                                    void *arg, struct err *err);
MUST_CHECK enum err_code aside_count(int64_t *out, struct store *s, struct err *err);

#endif
