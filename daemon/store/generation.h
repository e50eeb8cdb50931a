/*
 * generation.h - every set of rules that ever judged, kept by its content.
 */
#ifndef PATHWAY_STORE_GENERATION_H
#define PATHWAY_STORE_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

struct generation {
    int64_t number;  /* 1, 2, 3 ...; 0 when none has judged yet */
    char digest[65]; /* hex, of all files */
    int64_t since;   /* recorded time from which it judged */
};
MUST_CHECK enum err_code generation_last(struct generation *out, struct store *s, struct err *err);

/* The one that judged at the recorded time `known`; number 0 when none had judged yet. */
MUST_CHECK enum err_code generation_at(struct generation *out, struct store *s, int64_t known,
                                       struct err *err);

struct pack_file {
    const char *path; /* below the rules folder: "national/pack.lua" */
    const char *text;
    uint32_t len;
};
/* Add the next generation with its files, in a transaction. Files already kept are not kept
 * twice. */
MUST_CHECK enum err_code generation_add(int64_t *number, struct store *s, const char *digest,
                                        int64_t since, const struct pack_file *files, int count,
                                        struct err *err);

/* The files of a generation, by path. `text` is valid only inside the callback. ERR_ABSENT: there
 * is no such generation. */
typedef enum err_code pack_file_fn(const struct pack_file *file, void *arg, struct err *err);
MUST_CHECK enum err_code generation_files(struct store *s, int64_t number, pack_file_fn *fn,
                                          void *arg, struct err *err);

/* The packs of the last generation, by name: "national", "hubs/07". */
struct pack_age {
    const char *pack;
    int64_t generation; /* since which it is what it is */
    int64_t since;
    char digest[65]; /* of its files, hex */
};
/* One of the packs before what it is now: the newest generation in which it was another one, or not
 * there. ERR_ABSENT: there is none. */
MUST_CHECK enum err_code generation_before(int64_t *out, struct store *s, const char *pack,
                                           struct err *err);
typedef enum err_code pack_age_fn(const struct pack_age *age, void *arg, struct err *err);
MUST_CHECK enum err_code generation_packs(struct store *s, pack_age_fn *fn, void *arg,
                                          struct err *err);

#endif
