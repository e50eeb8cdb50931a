/*
 * undo.c - what moves have changed by themselves, with no event, can be taken back, and so can what
 * a move that fails has changed by half. See record.h.
 *
 * An event often arrives after moments that lie behind it in time: the record has moved on. Taking
 * those moves back, the event in, and asking again costs a few runs of the moves; folding anew
 * costs all events.
 */
#include <stdlib.h>
#include <string.h>

#include "lua/record_internal.h"

struct saved {
    uint16_t fact;
    struct cell value;
};

struct undo {
    bool is_lost; /* there was no memory to keep a value */
    uint16_t count, cap;
    struct saved *items; /* owned */
    int64_t *moved;      /* as record.moved; owned */
};

static struct undo *begin(const struct record *r)
{
    size_t moves = r->rs->subjects[r->kind].move_count;
    struct undo *u = calloc(1, sizeof(*u));

    if (!u)
        return NULL;
    u->moved = malloc((moves + 1) * sizeof(*u->moved));
    if (u->moved)
        memcpy(u->moved, r->moved, moves * sizeof(*u->moved));
    u->is_lost = !u->moved;
    return u;
}

static struct saved *make_room(struct undo *u)
{
    if (u->count == u->cap) {
        uint16_t cap = (uint16_t)(u->cap ? u->cap * 2 : 4);
        struct saved *items = realloc(u->items, cap * sizeof(*items));
        if (!items)
            return NULL;
        u->items = items;
        u->cap = cap;
    }
    return &u->items[u->count];
}

static void keep(struct undo *u, const struct record *r, uint16_t fact)
{
    for (uint16_t i = 0; i < u->count; i++)
        if (u->items[i].fact == fact)
            return;
    struct saved *item = make_room(u);
    if (!item || !cell_copy(&item->value, &r->rs->cells, r->facts[fact])) {
        u->is_lost = true;
        return;
    }
    item->fact = fact;
    u->count++;
}

void undo_note(struct record *r, uint16_t fact)
{
    if (r->is_by_itself && !r->undo && !(r->undo = begin(r))) {
        r->is_by_itself = false; /* the caller of record_undo_moves() hears that nothing is kept */
        r->has_lost_undo = true;
    }
    if (r->is_by_itself)
        keep(r->undo, r, fact);
    if (r->undo_one)
        keep(r->undo_one, r, fact);
}

static void undo_free(struct record *r, struct undo **at)
{
    struct undo *u = *at;

    for (uint16_t i = 0; u && i < u->count; i++)
        cell_release(&r->rs->cells, u->items[i].value);
    if (u) {
        free(u->items);
        free(u->moved);
        free(u);
    }
    *at = NULL;
}

void undo_forget(struct record *r)
{
    undo_free(r, &r->undo);
    undo_free(r, &r->undo_one);
    r->has_lost_undo = false;
}

static void put_back(struct record *r, struct undo *u)
{
    for (uint16_t i = 0; i < u->count; i++) {
        struct cell *fact = &r->facts[u->items[i].fact];
        struct cell moved = *fact;
        *fact = u->items[i].value;
        u->items[i].value = moved; /* goes with what is kept */
        record_touch(r, u->items[i].fact);
    }
    memcpy(r->moved, u->moved, r->rs->subjects[r->kind].move_count * sizeof(*r->moved));
}

bool undo_begin_one(struct record *r)
{
    undo_free(r, &r->undo_one);
    r->undo_one = begin(r);
    return r->undo_one && !r->undo_one->is_lost;
}

void undo_end_one(struct record *r)
{
    undo_free(r, &r->undo_one);
}

bool undo_one(struct record *r)
{
    bool is_lost = r->undo_one && r->undo_one->is_lost;

    if (r->undo_one && !is_lost)
        put_back(r, r->undo_one);
    undo_free(r, &r->undo_one);
    return !is_lost;
}

bool record_undo_moves(struct record *r)
{
    struct undo *u = r->undo;

    if (r->has_lost_undo || (u && u->is_lost))
        return false;
    if (u)
        put_back(r, u);
    memset(r->moved_facts, 0, r->rs->fact_words * sizeof(*r->moved_facts));
    record_forget_asked(r);
    undo_forget(r);
    return true;
}
