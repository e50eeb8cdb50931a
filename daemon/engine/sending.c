/* sending.c - see sending.h. */
#include "engine/sending.h"

#include <stdlib.h>
#include <string.h>

#include "store/derived.h"

void sending_init(struct sending *s, const struct take *items, size_t count)
{
    *s = (struct sending){ 0 };
    for (size_t i = 0; i < count && !s->is_bound; i++)
        s->is_bound = items[i].hubs != NULL;
}

void sending_fini(struct sending *s)
{
    strmap_fini(&s->moved);
}

/* The hub that an event puts its subject in, or NULL. */
static const char *hub_of_event(const struct take *t)
{
    const struct json *hub = json_get(t->event->data, "hub");
    return hub && hub->type == JSON_STRING ? hub->as.string : NULL;
}

/* Is it one of "07 12"? */
static bool has_hub(const char *hubs, const char *hub)
{
    size_t len = strlen(hub);

    while (*hubs) {
        size_t n = strcspn(hubs, " ");
        if (n == len && strncmp(hubs, hub, len) == 0)
            return true;
        hubs += n;
        hubs += strspn(hubs, " ");
    }
    return false;
}

/* The hub that a subject is of, the events taken before in this batch included. */
static enum err_code present_hub(char **out, struct sending *s, struct store *store,
                                 const char *subject, struct err *err)
{
    const struct strmap_item *item = strmap_find(&s->moved, subject, strlen(subject));

    if (!item && strncmp(subject, "hub/", 4) != 0)
        return subject_hub_kept(out, store, subject, err);
    *out = strdup(item ? item->as.ptr : subject + 4);
    return *out ? OK : err_set(err, ERR_LIMIT, "no memory to see whose a subject is");
}

/* May it write about a subject that the event puts in the hub `next` (NULL: in none)? */
static enum err_code check_subject(bool *out, struct sending *s, struct store *store,
                                   const struct take *t, const char *subject, const char *next,
                                   struct err *err)
{
    char *present = NULL;

    enum err_code rc = present_hub(&present, s, store, subject, err);
    *out = rc == OK && (present || next) && (!present || has_hub(t->hubs, present)) &&
           (!next || has_hub(t->hubs, next));
    free(present);
    return rc;
}

/* A succession takes the predecessor's place too: it ends all that that one was a member of. */
static const char *predecessor_of(const struct take *t)
{
    const struct json *p = strcmp(t->event->type, EVENT_SUCCEEDED) == 0
                               ? json_get(t->event->data, "predecessor")
                               : NULL;
    return p && p->type == JSON_STRING ? p->as.string : NULL;
}

enum err_code sending_check(const char **out, struct sending *s, struct store *store,
                            const struct take *t, struct err *err)
{
    bool may = true;

    *out = NULL;
    if (!t->hubs)
        return OK;
    const char *subject = t->event->subject, *predecessor = predecessor_of(t);
    enum err_code rc = check_subject(&may, s, store, t, subject, hub_of_event(t), err);
    if (rc == OK && may && predecessor) {
        subject = predecessor;
        rc = check_subject(&may, s, store, t, subject, NULL, err);
    }
    *out = rc == OK && !may ? subject : NULL;
    return rc;
}

enum err_code sending_note(struct sending *s, const struct take *t, struct err *err)
{
    const char *hub = s->is_bound ? hub_of_event(t) : NULL;

    if (!hub)
        return OK;
    const char *subject = t->event->subject;
    struct strmap_item *item = strmap_add(&s->moved, subject, strlen(subject), NULL);
    if (!item)
        return err_set(err, ERR_LIMIT, "no memory to see whose a subject is");
    item->as.ptr = (void *)(uintptr_t)hub;
    return OK;
}
