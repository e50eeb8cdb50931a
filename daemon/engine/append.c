/* append.c - see append.h. */
#include "engine/append.h"

#include <string.h>

enum err_code append_event(enum append_status *out, int64_t *seq, struct store *s,
                           const struct event *e, int64_t recorded, const char *actor,
                           struct err *err)
{
    const char *source = NULL, *id = NULL;

    if (strcmp(e->type, EVENT_VOIDED) == 0) { /* its data has been checked: both are texts */
        source = json_get(e->data, "source")->as.string;
        id = json_get(e->data, "id")->as.string;
    }
    enum err_code rc = log_append(out, seq, s, e, recorded, actor, source, id, err);
    if (rc != OK || *out != APPEND_ACCEPTED)
        return rc;
    if (strcmp(e->type, EVENT_SUCCEEDED) == 0) {
        const struct json *predecessor = json_get(e->data, "predecessor");
        if (predecessor && predecessor->type == JSON_STRING)
            rc = log_add_succession(s, *seq, predecessor->as.string, e->subject, err);
    }
    for (const struct event_note *n = e->notes; n && rc == OK; n = n->next)
        rc = log_add_note(s, *seq, n->path, n->text, err);
    return rc;
}
