/* pending.c - see derived.h. Empty but for moments: a subject stands here while much that came late
 * is being worked off. */
#include <stdlib.h>
#include <string.h>

#include "store/derived.h"
#include "store/internal.h"

/* Into the row that will be written; what is pending in memory is `entry->causes`. */
static enum err_code keep(struct store *s, struct dict_entry *entry, char *causes, struct err *err)
{
    struct subject_row *row;

    enum err_code rc = behind_change(&row, s, entry, err);
    if (rc == OK)
        rc = behind_text(&row->causes, s, causes, err);
    if (rc != OK) {
        free(causes);
        return rc;
    }
    row->has_causes = true;
    s->pending += (causes != NULL) - (entry->causes != NULL);
    free(entry->causes);
    entry->causes = causes;
    return OK;
}

enum err_code pending_add(struct store *s, const char *subject, const char *events, struct err *err)
{
    struct dict_entry *entry;

    enum err_code rc = dict_intern(&entry, s, DICT_SUBJECT, subject, err);
    if (rc != OK)
        return rc;
    size_t before = entry->causes ? strlen(entry->causes) + 1 : 0, len = strlen(events);
    char *causes = malloc(before + len + 1);
    if (!causes)
        return store_no_memory(s, "leave a subject for later", err);
    if (before) {
        memcpy(causes, entry->causes, before - 1);
        causes[before - 1] = ',';
    }
    memcpy(causes + before, events, len + 1);
    return keep(s, entry, causes, err);
}

enum err_code pending_take(char **out, struct store *s, const char *subject, struct err *err)
{
    struct dict_entry *entry;

    *out = NULL;
    enum err_code rc = dict_find(&entry, s, DICT_SUBJECT, subject, err);
    if (rc != OK || !entry || !entry->causes)
        return rc;
    *out = strdup(entry->causes);
    return *out ? keep(s, entry, NULL, err)
                : store_no_memory(s, "read why a subject was left for later", err);
}

bool pending_has(const struct store *s, const char *subject)
{
    const struct strmap_item *item =
        strmap_find(&s->dicts[DICT_SUBJECT].by_text, subject, strlen(subject));
    return item && ((const struct dict_entry *)item->as.ptr)->causes;
}

int64_t pending_count(const struct store *s)
{
    return s->pending;
}
