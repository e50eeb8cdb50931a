/*
 * newfile.h - a file that is there whole, or not at all.
 *
 * It is written as FILE.partial and gets its name when all of it is on the disk. What a killed
 * program left is taken over by the next; two at once are refused.
 */
#ifndef PATHWAY_CLI_NEWFILE_H
#define PATHWAY_CLI_NEWFILE_H

#include <stdbool.h>

#include "base/err.h"

struct newfile {
    const char *path; /* borrowed */
    char *partial;    /* what to write to; empty at first, for its owner's eyes only. NULL: none */
    int fd;           /* holds it */
    bool may_replace;
};

/* Begin. ERR_CONFLICT: `path` is there and may not be replaced; ERR_BUSY: somebody is writing it;
 * ERR_LIMIT, ERR_IO. */
MUST_CHECK enum err_code newfile_begin(struct newfile *f, const char *path, bool may_replace,
                                       struct err *err);
/* All of it has been written: force it to the disk and give it its name. */
MUST_CHECK enum err_code newfile_finish(struct newfile *f, struct err *err);
/* After finish: nothing. Else what was written goes. A zeroed one is allowed. */
void newfile_fini(struct newfile *f);

#endif
