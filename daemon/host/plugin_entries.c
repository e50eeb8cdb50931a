/* plugin_entries.c - entries of the feed as plugins see them. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "host/plugin_internal.h"

static bool read_entry(struct pw_change *out, struct arena *arena, const char *line, size_t len)
{
    const struct json *tree = NULL;
    struct err why;

    if (json_parse(&tree, arena, line, len, 16, &why) != OK)
        return false;
    const struct json *data = json_get(tree, "data"), *hub = json_get(data, "hub");
    const struct json *subject = json_get(tree, "subject"), *seq = json_get(data, "seq");
    const struct json *decision = json_get(data, "decision");
    if (!subject || !seq || !decision || subject->type != JSON_STRING || seq->type != JSON_INT ||
        decision->type != JSON_STRING)
        return false;
    *out = (struct pw_change){ .seq = seq->as.integer,
                               .subject = subject->as.string,
                               .decision = decision->as.string,
                               .hub = hub && hub->type == JSON_STRING ? hub->as.string : NULL,
                               .json = line,
                               .len = len };
    return true;
}

/* Lines to entries; `text` is cut up in place. */
enum pw_status entries_read(struct pw_change **out, size_t *count, struct arena *arena, char *text,
                            size_t len)
{
    size_t lines = 0, n = 0;

    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    *out = calloc(lines + 1, sizeof(**out));
    if (!*out)
        return PW_FAILED;
    for (char *at = text; n < lines; n++) {
        char *end = memchr(at, '\n', (size_t)(text + len - at));
        *end = '\0';
        if (!read_entry(&(*out)[n], arena, at, (size_t)(end - at)))
            return PW_FAILED;
        at = end + 1;
    }
    *count = n;
    return PW_OK;
}
