/* answer_backup.c - "backup": a copy of the database, made while it is written to. */
#include <stdlib.h>
#include <unistd.h>

#include "engine/reader.h"
#include "store/copy.h"

enum err_code answer_backup(struct buf *out, struct reader *r, const struct json *params,
                            struct err *err)
{
    static const char *const KNOWN[] = { NULL };
    struct copied copied;
    char *path;

    if (params_check(params, KNOWN, err) != OK)
        return err->code;
    enum err_code rc = copy_make_room(&path, r->store, err);
    if (rc != OK)
        return rc;
    rc = store_copy(&copied, r->store, path, NULL, NULL, err);
    if (rc == OK)
        buf_str(out, path);
    else
        unlink(path);
    free(path);
    return rc;
}
