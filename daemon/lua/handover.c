/* handover.c - a subject comes to another hub: its facts, which are plain values, go from one Lua
 * state to another. See record.h. */
#include <string.h>

#include "lua/likeness.h"
#include "lua/record_internal.h"

enum subject_kind record_kind(const struct record *r)
{
    return r->kind;
}

struct ruleset *record_ruleset(const struct record *r)
{
    return r->rs;
}

const char *record_hub(const struct record *r)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];

    if (r->kind == SUBJECT_HUB)
        return subject_hub(r->subject);
    const struct text *hub = defs->hub == NO_FACT ? NULL : cell_text(r->facts[defs->hub]);
    return hub ? hub->bytes : NULL;
}

bool record_may_have_moved(const struct record *r)
{
    uint16_t hub = r->rs->subjects[r->kind].hub;
    return hub != NO_FACT && (r->touched[hub / 64] >> (hub % 64) & 1);
}

/* ---- copies in another state ---- */

static bool copy_node(struct cell *out, struct cells *to, const struct node *from);

static bool copy_cell(struct cell *out, struct cells *to, struct cell from)
{
    const struct text *text = cell_text(from);
    const struct node *node = cell_node(from);

    *out = from;
    if (text) {
        struct text *copy = text_hold(to, text->bytes, text->len, text->hash);
        *out = copy ? cell_of_text(copy) : (struct cell){ 0 };
        return copy != NULL;
    }
    if (node)
        return copy_node(out, to, node);
    if (cell_tag(from) == CELL_WIDE)
        return cell_wide(from)->is_real ? cell_of_real(out, to, cell_wide(from)->as.real)
                                        : cell_of_integer(out, to, cell_wide(from)->as.integer);
    return true;
}

/* Keys keep their order, which is that of their values. */
static bool copy_node(struct cell *out, struct cells *to, const struct node *from)
{
    struct node *copy = node_new(to, from->used);

    *out = copy ? cell_of_node(copy) : (struct cell){ 0 };
    for (uint32_t i = 0; copy && i < from->used; i++) {
        struct cell cell;
        if (!copy_cell(&cell, to, from->cells[i])) {
            cell_release(to, *out);
            *out = (struct cell){ 0 };
            return false;
        }
        copy->cells[copy->used++] = cell;
    }
    return copy != NULL;
}

/* ---- the handover ---- */

static bool take_fact(struct record *r, uint16_t fact, struct cell from)
{
    struct cell copy;

    if (!copy_cell(&copy, &r->rs->cells, from))
        return false;
    cell_release(&r->rs->cells, r->facts[fact]);
    r->facts[fact] = copy;
    record_touch(r, fact);
    return true;
}

/* Both have the national facts, each between others of its hub's own, and both by name. */
static bool take_facts(struct record *r, const struct record *from)
{
    const struct subject_defs *to = &r->rs->subjects[r->kind];
    const struct subject_defs *of = &from->rs->subjects[r->kind];
    uint16_t k = 0;

    for (uint16_t i = 0; i < to->fact_count; i++) {
        if (to->facts[i].is_own)
            continue;
        while (k < of->fact_count && strcmp(of->facts[k].name, to->facts[i].name) < 0)
            k++;
        bool is_there = k < of->fact_count && strcmp(of->facts[k].name, to->facts[i].name) == 0;
        if (is_there && !take_fact(r, i, from->facts[k]))
            return false;
    }
    return true;
}

static void take_move(struct record *r, uint16_t move, const struct record *from, uint16_t theirs)
{
    r->moved[move] = from->moved[theirs];
    r->asked[move].spent = from->asked[theirs].spent;
}

/* When the national facts last moved. */
static void take_moved(struct record *r, const struct record *from)
{
    const struct subject_defs *to = &r->rs->subjects[r->kind];
    const struct subject_defs *of = &from->rs->subjects[r->kind];

    for (uint16_t i = 0; i < to->move_count; i++)
        for (uint16_t k = 0; k < of->move_count && !to->moves[i].is_own; k++)
            if (strcmp(to->moves[i].name, of->moves[k].name) == 0)
                take_move(r, i, from, k);
}

enum err_code record_hand_over(struct record **out, const struct record *from, struct ruleset *to,
                               struct record *back, struct err *err)
{
    struct record *r = back;

    *out = NULL;
    if (!r && record_new(&r, to, from->subject, err) != OK)
        return err->code;
    kept_end(r); /* what it remembered is of another time */
    undo_forget(r);
    record_forget_asked(r);
    r->has_lost_undo = true;
    if (!take_facts(r, from)) {
        record_free(r);
        return err_set(err, ERR_LIMIT, "no memory for the record of %s", from->subject);
    }
    take_moved(r, from);
    *out = r;
    return OK;
}

enum err_code record_copy(struct record **out, const struct record *from, struct err *err)
{
    const struct subject_defs *defs = &from->rs->subjects[from->kind];
    struct record *r;
    bool has_room = true;

    *out = NULL;
    if (record_new(&r, from->rs, from->subject, err) != OK)
        return err->code;
    for (uint16_t i = 0; i < defs->fact_count && has_room; i++) {
        has_room = cell_copy(&r->facts[i], &from->rs->cells, from->facts[i]);
        r->unjudged[i / 64] |= 1ull << (i % 64);
    }
    memcpy(r->moved, from->moved, defs->move_count * sizeof(*r->moved));
    r->own_spent = from->own_spent;
    for (uint16_t i = 0; i < defs->move_count; i++)
        r->asked[i].spent = from->asked[i].spent;
    r->has_lost_undo = true;
    if (!has_room) {
        record_free(r);
        return err_set(err, ERR_LIMIT, "no memory for the record of %s", from->subject);
    }
    *out = r;
    return OK;
}

enum err_code record_carry_over(struct record **out, const struct record *from,
                                const struct rulebook *of, const struct rulebook *to,
                                struct err *err)
{
    struct record *r;
    int i = 0;

    *out = NULL;
    while (rulebook_at(of, i) != from->rs)
        i++;
    if (record_new(&r, rulebook_at(to, i), from->subject, err) != OK)
        return err->code;
    for (uint16_t k = 0; k < r->rs->subjects[r->kind].fact_count; k++) {
        if (take_fact(r, k, from->facts[k])) /* both have the same facts, in the same order */
            continue;
        record_free(r);
        return err_set(err, ERR_LIMIT, "no memory for the record of %s", from->subject);
    }
    memcpy(r->moved, from->moved, r->rs->subjects[r->kind].move_count * sizeof(*r->moved));
    r->has_lost_undo = true;
    *out = r;
    return OK;
}
