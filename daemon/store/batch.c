/* batch.c - see batch.h. */
#include "store/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void *rows_add(struct rows *rows, size_t size)
{
    void *grown = array_room(rows->items, rows->count, &rows->cap, size);

    if (!grown)
        return NULL;
    rows->items = grown;
    return memset((char *)rows->items + rows->count++ * size, 0, size);
}

struct batch *batch_new(void)
{
    return calloc(1, sizeof(struct batch));
}

static struct rows *each_rows(struct batch *b, size_t i)
{
    struct rows *all[] = { &b->names,   &b->events,   &b->voids, &b->successions, &b->notes,
                           &b->changes, &b->subjects, &b->runs,  &b->metas };
    return i < sizeof(all) / sizeof(*all) ? all[i] : NULL;
}

void batch_reset(struct batch *b)
{
    struct rows *rows;

    arena_reset(&b->arena);
    for (size_t i = 0; (rows = each_rows(b, i)); i++)
        rows->count = 0;
    b->commit = (struct commit_row){ 0 };
    b->generation = NULL;
    b->has_watermark = false;
    b->next = NULL;
    b->then = NULL;
}

void batch_free(struct batch *b)
{
    struct rows *rows;

    if (!b)
        return;
    for (size_t i = 0; (rows = each_rows(b, i)); i++)
        free(rows->items);
    arena_fini(&b->arena);
    free(b);
}

bool batch_is_empty(const struct batch *b)
{
    return b->names.count + b->events.count + b->changes.count + b->subjects.count + b->runs.count +
                   b->metas.count ==
               0 &&
           b->commit.number == 0 && !b->generation && !b->has_watermark;
}
