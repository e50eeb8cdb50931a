/*
 * file.h - a file of any size, whole.
 */
#ifndef PATHWAY_FILE_H
#define PATHWAY_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Append the bytes of a file. ERR_IO, ERR_LIMIT: no memory; the message begins with the path. */
MUST_CHECK enum err_code file_read(struct buf *out, const char *path, struct err *err);

#endif
