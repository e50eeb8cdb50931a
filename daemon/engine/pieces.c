/* pieces.c - see pieces.h. */
#include "engine/pieces.h"

#include <pthread.h>
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
    struct rulebook *rules; /* borrowed */
    struct rulebook *other; /* of the second writer; owned, NULL: there is none */
    pthread_t loading;
    bool is_loading; /* a thread is at it */
    struct err why;  /* it failed */
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

static void *load(void *arg)
{
    struct pieces *p = arg;

    p->why.code = OK;
    if (rulebook_again(&p->other, p->rules, &p->why) == OK)
        p->why.code = OK;
    return NULL;
}

enum err_code pieces_new(struct pieces **out, struct rulebook *rules, size_t expected,
                         struct err *err)
{
    struct pieces *p = calloc(1, sizeof(*p));

    *out = p;
    if (!p)
        return no_memory(err);
    p->rules = rules;
    p->hand_count = 1;
    if (crowd_size(expected) > 1)
        p->is_loading = pthread_create(&p->loading, NULL, load, p) == 0;
    for (int i = 0; i < CROWD_MAX; i++)
        p->hands[i] = (struct hand){ .pieces = p, .writer = { .rules = rules }, .number = i };
    return OK;
}

/* Both writers have their rules now. */
static enum err_code end_loading(struct pieces *p, struct err *err)
{
    if (!p->is_loading)
        return OK;
    pthread_join(p->loading, NULL);
    p->is_loading = false;
    if (p->why.code != OK)
        return err_set(err, p->why.code, "%s", p->why.msg);
    p->hands[1].writer.rules = p->other;
    p->hand_count = 2;
    return OK;
}

void pieces_free(struct pieces *p)
{
    if (!p)
        return;
    if (p->is_loading)
        pthread_join(p->loading, NULL);
    for (int i = 0; i < CROWD_MAX; i++) {
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

enum err_code pieces_write(struct pieces *p, struct world *w, const char *const *subjects,
                           size_t count, piece_fn *fn, void *arg, struct err *err)
{
    if (world_share(w, err) != OK || end_loading(p, err) != OK)
        return err->code;
    struct crowd_options o = {
        .world = w, .subjects = subjects, .count = count, .hand_count = p->hand_count, .work = work
    };

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
