/*
 * restore.h - a backup in the place of a database.
 *
 * The backup is copied beside the database first, and it is the copy that is checked, so that what
 * was checked is what judges. Then one rename() puts it in its place. Whatever is killed, and
 * whenever: at the database's path stands the old one or the new one, each whole, and the old one
 * keeps its content under a name of its own.
 */
#ifndef PATHWAY_STORE_RESTORE_H
#define PATHWAY_STORE_RESTORE_H

#include "base/err.h"
#include "store/copy.h"

struct restored {
    struct copied holds;
    char *before; /* where the old database is now; NULL: there was none. For free() */
};

/*
 * Put `file` in the place of the database `path`, whose folder must exist. `progress` hears of
 * bytes copied. ERR_CONFLICT `file` is not whole, or no backup at all, and nothing was changed
 * ERR_BUSY     a daemon has `path` (the message names its process), or something else reads it
 * ERR_INPUT    `file` is another application's, or from a newer version (both versions named), or
 * is `path` itself ERR_ABSENT   there is no `file` ERR_LIMIT    no room ERR_IO, ERR_STORE
 */
MUST_CHECK enum err_code store_restore(struct restored *out, const char *file, const char *path,
                                       copy_progress_fn *progress, void *arg, struct err *err);

#endif
