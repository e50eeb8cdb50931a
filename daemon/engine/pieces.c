/* pieces.c - see pieces.h. */
#include "engine/pieces.h"

#include <stdlib.h>
#include <string.h>

struct piece {
    int writer;
    size_t at, len; /* of what it wrote */
};

struct hand {
    struct pieces *pieces;
    struct writer writer;
    int number;
};

struct pieces {
    struct world *world;    /* borrowed */
    struct rulebook *other; /* of the second writer; owned, NULL: there is none */
    struct hand hands[CROWD_MAX];
    int hand_count;
    struct piece *items; /* owned */
    size_t cap;
    piece_fn *fn; /* of the writing under way */
    void *arg;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the answer");
}

enum err_code pieces_new(struct pieces **out, struct world *w, struct rulebook *rules,
                         size_t expected, struct err *err)
{
    struct pieces *p = calloc(1, sizeof(*p));

    *out = NULL;
    if (!p)
        return no_memory(err);
    p->world = w;
    p->hand_count = crowd_size(expected) > 1 ? 2 : 1;
    enum err_code rc = world_share(w, err);
    if (rc == OK && p->hand_count > 1)
        rc = rulebook_again(&p->other, rules, err);
    for (int i = 0; i < p->hand_count; i++)
        p->hands[i] = (struct hand){ .pieces = p,
                                     .writer = { .rules = i == 0 ? rules : p->other },
                                     .number = i };
    if (rc == OK)
        *out = p;
    else
        pieces_free(p);
    return rc;
}

void pieces_free(struct pieces *p)
{
    if (!p)
        return;
    for (int i = 0; i < p->hand_count; i++) {
        buf_fini(&p->hands[i].writer.out);
        arena_fini(&p->hands[i].writer.arena);
    }
    rulebook_free(p->other);
    free(p->items);
    free(p);
}

static enum err_code work(void *arg, const char *subject, size_t index, struct err *err)
{
    struct hand *h = arg;
    struct piece *piece = &h->pieces->items[index];

    arena_reset(&h->writer.arena);
    *piece = (struct piece){ .writer = h->number, .at = h->writer.out.len };
    enum err_code rc = h->pieces->fn(&h->writer, subject, h->pieces->arg, err);
    piece->len = h->writer.out.len - piece->at;
    return rc == OK && h->writer.out.failed ? no_memory(err) : rc;
}

enum err_code pieces_write(struct pieces *p, const char *const *subjects, size_t count,
                           piece_fn *fn, void *arg, struct err *err)
{
    struct crowd_options o = { .world = p->world,
                               .subjects = subjects,
                               .count = count,
                               .hand_count = p->hand_count,
                               .work = work };

    if (count > p->cap) {
        struct piece *grown = realloc(p->items, count * sizeof(*grown));
        if (!grown)
            return no_memory(err);
        p->items = grown;
        p->cap = count;
    }
    p->fn = fn;
    p->arg = arg;
    for (int i = 0; i < p->hand_count; i++) {
        buf_reset(&p->hands[i].writer.out);
        o.hands[i] = &p->hands[i];
    }
    return crowd_run(&o, err);
}

const char *pieces_at(const struct pieces *p, size_t index, size_t *len)
{
    const struct piece *piece = &p->items[index];
    const struct buf *out = &p->hands[piece->writer].writer.out;

    *len = piece->len;
    return piece->len > 0 ? out->data + piece->at : "";
}
