/*
 * path.h - where in an event's data a value stands, for messages and for notes.
 *
 * A chain of places on the stack, written out only when someone must read it:
 * "data.teacher", "data.attendance['school/1'][0]".
 */
#ifndef PATHWAY_PATH_H
#define PATHWAY_PATH_H

#include <stdint.h>

#include "base/buf.h"

enum path_step { PATH_ROOT, PATH_FIELD, PATH_KEY, PATH_INDEX };

struct path {
    const struct path *up; /* borrowed; NULL for PATH_ROOT */
    enum path_step step;
    const char *name; /* borrowed; of root, field and key */
    uint32_t index;   /* of PATH_INDEX, from 0 */
};

/* Append the whole path. A name longer than `max_name` bytes is cut with "...". */
void path_write(struct buf *b, const struct path *path, size_t max_name);

#endif
