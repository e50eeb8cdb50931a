/* file.c - see file.h. */
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum err_code file_read(struct buf *out, const char *path, struct err *err)
{
    char block[65536];
    size_t n;
    FILE *in = fopen(path, "rb");

    if (!in)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    while ((n = fread(block, 1, sizeof(block), in)) > 0)
        buf_add(out, block, n);
    enum err_code rc = ferror(in) ? err_set(err, ERR_IO, "%s: %s", path, strerror(errno)) : OK;
    fclose(in);
    if (rc == OK && out->failed)
        rc = err_set(err, ERR_LIMIT, "%s: no memory for the file", path);
    return rc;
}
