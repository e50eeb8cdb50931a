/*
 * meta.h - small texts by name that belong to the database and not to the log: replay does not make
 * them.
 */
#ifndef PATHWAY_STORE_META_H
#define PATHWAY_STORE_META_H

#include "base/err.h"
#include "store/store.h"

/* In a transaction: set a text, or with NULL forget it. Both are copied. */
MUST_CHECK enum err_code meta_put(struct store *s, const char *key, const char *text,
                                  struct err *err);
/* *out is the caller's to free(), NULL when there is none: as of the last durable commit. */
MUST_CHECK enum err_code meta_get(char **out, struct store *s, const char *key, struct err *err);
/* Those whose key begins with `prefix`, by key. Texts are valid only inside the callback. */
typedef enum err_code meta_fn(const char *key, const char *text, void *arg, struct err *err);
MUST_CHECK enum err_code meta_each(struct store *s, const char *prefix, meta_fn *fn, void *arg,
                                   struct err *err);

#endif
