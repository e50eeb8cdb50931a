/* path.c - see path.h. */
#include "model/path.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

/* Whole characters only, so that a cut message is still UTF-8. */
static void write_name(struct buf *b, const char *name, size_t max_name)
{
    size_t len = strlen(name), n = 0;

    while (n < len) {
        size_t step = text_utf8_char(name + n, len - n, NULL);
        if (step == 0)
            step = 1;
        if (n + step > max_name)
            break;
        n += step;
    }
    buf_add(b, name, n);
    if (n < len)
        buf_str(b, "...");
}

void path_write(struct buf *b, const struct path *path, size_t max_name)
{
    if (path->up)
        path_write(b, path->up, max_name);
    switch (path->step) {
    case PATH_FIELD:
        buf_char(b, '.');
        write_name(b, path->name, max_name);
        return;
    case PATH_ROOT:
        write_name(b, path->name, max_name);
        return;
    case PATH_KEY:
        buf_str(b, "['");
        write_name(b, path->name, max_name);
        buf_str(b, "']");
        return;
    case PATH_INDEX:
        buf_printf(b, "[%" PRIu32 "]", path->index);
        return;
    }
}
