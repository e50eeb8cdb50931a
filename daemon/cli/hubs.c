/* hubs.c - see hubs.h. */
#include "cli/hubs.h"

#include <stdio.h>
#include <string.h>

#include "base/csvfile.h"
#include "cli/gias.h"
#include "model/subject.h"

struct loading {
    struct hubs *hubs;
    const char *path;
    int code, hub; /* columns; -1 before the header */
};

static enum err_code read_header(struct loading *l, const struct csv_row *row, struct err *err)
{
    l->code = csv_column(row, "code");
    l->hub = csv_column(row, "hub");
    if (l->code >= 0 && l->hub >= 0)
        return OK;
    return err_set(err, ERR_INPUT, "%s: expected the columns code and hub in its first line",
                   l->path);
}

static enum err_code add_line(struct loading *l, const struct csv_row *row, struct err *err)
{
    char code[GIAS_NUMBER_TEXT], hub[SUBJECT_MAX];
    const char *given = csv_field(row, l->code);

    bool is_number = gias_number(code, given, 3);
    snprintf(hub, sizeof(hub), "%s", csv_field(row, l->hub));
    hub[strcspn(hub, " \t\r\n")] = '\0';
    if (!is_number || (strlen(code) != 3 && strlen(code) != 6))
        return err_set(err, ERR_INPUT,
                       "%s:%lld: the code is '%.40s': expected a local authority's three digits or "
                       "a URN's six",
                       l->path, (long long)row->line, given);
    if (!subject_code_is_valid(SUBJECT_HUB, hub, strlen(hub)))
        return err_set(err, ERR_INPUT,
                       "%s:%lld: the hub is '%.40s': expected 1 to 64 of A-Z a-z 0-9 . _ -",
                       l->path, (long long)row->line, csv_field(row, l->hub));

    const struct strmap_item *before = strmap_find(&l->hubs->by_code, code, strlen(code));
    if (before && strcmp(before->as.ptr, hub) != 0)
        return err_set(err, ERR_INPUT, "%s:%lld: %s is in hub '%s' here and in '%s' above", l->path,
                       (long long)row->line, code, hub, (const char *)before->as.ptr);
    char *key = arena_strdup(&l->hubs->arena, code);
    char *value = arena_strdup(&l->hubs->arena, hub);
    struct strmap_item *item =
        key && value ? strmap_add(&l->hubs->by_code, key, strlen(key), NULL) : NULL;
    if (!item)
        return err_set(err, ERR_LIMIT, "%s: no memory for its lines", l->path);
    item->as.ptr = value;
    return OK;
}

static enum err_code take_row(const struct csv_row *row, void *arg, struct err *err)
{
    struct loading *l = arg;

    return l->code < 0 ? read_header(l, row, err) : add_line(l, row, err);
}

enum err_code hubs_load(struct hubs *out, const char *path, struct err *err)
{
    struct loading l = { .hubs = out, .path = path, .code = -1, .hub = -1 };

    return csvfile_read(path, take_row, &l, err);
}

const char *hubs_find(const struct hubs *h, const char *urn, const char *la)
{
    const struct strmap_item *item = strmap_find(&h->by_code, urn, strlen(urn));

    if (!item && la)
        item = strmap_find(&h->by_code, la, strlen(la));
    return item ? item->as.ptr : NULL;
}

void hubs_fini(struct hubs *h)
{
    strmap_fini(&h->by_code);
    arena_fini(&h->arena);
}
