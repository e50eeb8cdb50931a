/*
 * copy.h - a whole database copied to another file, page by page, while others write to it.
 *
 * The copy is one snapshot: a read transaction stands from the first page to the last, so that
 * nothing is copied twice however much is committed meanwhile. All that the writer feels of it is
 * that the WAL can not begin anew until it is done. (VACUUM INTO would build every table anew,
 * which takes processor time from the engine, and can not say how far it is; SQLite's own steps
 * without a transaction begin again at each commit.) What is copied goes to the disk in slices, so
 * that no commit's fsync has to wait behind all of it.
 */
#ifndef PATHWAY_STORE_COPY_H
#define PATHWAY_STORE_COPY_H

#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

/* What a copy holds. */
struct copied {
    int64_t bytes;
    int64_t events;   /* the last one's number */
    int64_t changes;  /* entries of the feed */
    int64_t recorded; /* when the last event was; 0: there is none */
};

/* Called on the copying thread, now and then and at the end. */
typedef void copy_progress_fn(int64_t bytes, int64_t of, void *arg);

/*
 * Copy what `from` sees into `path`, an empty file of the caller's, and force it to the disk.
 * `from` is a store that reads; a snapshot that it has is what is copied. `progress` NULL: nobody
 * wants to know. The copy needs no other file beside it. ERR_LIMIT: no room; ERR_STORE: `from` is
 * damaged; ERR_IO. Then `path` is of no use.
 */
MUST_CHECK enum err_code store_copy(struct copied *out, struct store *from, const char *path,
                                    copy_progress_fn *progress, void *arg, struct err *err);

/* What a database holds, `bytes` left out. */
MUST_CHECK enum err_code store_count(struct copied *out, struct store *s, struct err *err);

/* Make the empty file for a copy of the database that `from` has open, for a moment only, in its
 * folder and closed to others. *path is the caller's, for free(). One at a time. */
MUST_CHECK enum err_code copy_make_room(char **path, const struct store *from, struct err *err);
/* Remove what a daemon that was killed may have left of one. With the writer's lock. */
void copy_remove_leftover(const char *database);

#endif
