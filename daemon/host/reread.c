/* reread.c - see reread.h. */
#include "host/reread.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "base/log.h"

static struct reread_part *part_of(struct reread *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->parts[i].name, name) == 0)
            return &r->parts[i];
    if (r->count == REREAD_MAX)
        return NULL;
    r->parts[r->count] = (struct reread_part){ .name = name };
    return &r->parts[r->count++];
}

void reread_note(struct reread *r, const char *name, const char *why, int64_t now)
{
    struct reread_part *part = part_of(r, name);
    char *copy = why ? strdup(why) : NULL;

    if (!part || (why && !copy)) {
        free(copy);
        log_err("host: no memory for what could not be read again part=%s", name);
        return;
    }
    if (why && !part->why)
        part->since = now;
    free(part->why);
    part->why = copy;
}

void reread_write(const struct reread *r, struct buf *out)
{
    const char *separator = "[";
    char since[TIME_TEXT];

    for (size_t i = 0; i < r->count; i++) {
        const struct reread_part *part = &r->parts[i];
        if (!part->why)
            continue;
        buf_printf(out, "%s{\"part\":", separator);
        json_write_cstr(out, part->name);
        buf_str(out, ",\"why\":");
        json_write_cstr(out, part->why);
        time_text(part->since, since);
        buf_printf(out, ",\"since\":\"%s\"}", since);
        separator = ",";
    }
    buf_str(out, *separator == '[' ? "[]" : "]");
}

void reread_write_lines(const struct reread *r, struct buf *out)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->parts[i].why)
            buf_printf(out, "%s: %s\n", r->parts[i].name, r->parts[i].why);
}

void reread_measure(const struct reread *r, struct buf *out)
{
    if (r->count == 0)
        return;
    buf_str(out, "# HELP pathwayd_reload_failed Whether it could not be read again at the last "
                 "reload, and goes on as before\n"
                 "# TYPE pathwayd_reload_failed gauge\n");
    for (size_t i = 0; i < r->count; i++)
        buf_printf(out, "pathwayd_reload_failed{part=\"%s\"} %d\n", r->parts[i].name,
                   r->parts[i].why != NULL);
}

void reread_fini(struct reread *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->parts[i].why);
    *r = (struct reread){ 0 };
}
