/* wanting.c - see wanting.h. */
#include "engine/wanting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMED 5 /* subjects in a refusal; the others are counted */

struct wanting_pack {
    struct wanting_pack *next;
    char name[100]; /* "hubs/07" */
    struct buf moves, spent;
    size_t move_count, spent_count;
    struct unclear *unclear; /* owned */
};
/* A rule that changes with no direction. */
struct unclear {
    struct unclear *next;
    char rule[100], subject[SUBJECT_MAX]; /* the first one's */
    size_t count;
};

static struct wanting_pack *pack_named(struct wanting *w, const char *name)
{
    struct wanting_pack *p = w->packs;

    while (p && strcmp(p->name, name) != 0)
        p = p->next;
    if (p || !(p = calloc(1, sizeof(*p)))) {
        w->failed = w->failed || !p;
        return p;
    }
    snprintf(p->name, sizeof(p->name), "%s", name);
    p->next = w->packs;
    return w->packs = p;
}

static void note_unclear(struct wanting *w, struct wanting_pack *p, const struct overlay_refusal *r)
{
    struct unclear **at = &p->unclear;

    while (*at && strcmp((*at)->rule, r->what) != 0)
        at = &(*at)->next;
    if (!*at && (*at = calloc(1, sizeof(**at)))) {
        snprintf((*at)->rule, sizeof((*at)->rule), "%s", r->what);
        snprintf((*at)->subject, sizeof((*at)->subject), "%s", r->subject);
    }
    w->failed = w->failed || !*at;
    if (*at)
        (*at)->count++;
}

void wanting_note_move(struct wanting *w, const struct overlay_refusal *r)
{
    char name[100];

    snprintf(name, sizeof(name), "hubs/%s", r->hub);
    struct wanting_pack *p = pack_named(w, name);
    if (p && r->is_unclear)
        note_unclear(w, p, r);
    if (!p || r->is_unclear || p->move_count++ >= NAMED)
        return;
    buf_printf(&p->moves, "hub %s: %s, %s", r->hub, r->subject, r->what);
    if (r->national && r->here)
        buf_printf(&p->moves, " would be %s in place of %s", r->here, r->national);
    buf_printf(&p->moves, ": %s\n", r->why);
}

/* ---- budgets ---- */

/* The pack of a message: "hubs/07/rules.lua:3: ..." */
static void pack_of(char out[100], const char *message)
{
    if (strncmp(message, "hubs/", 5) == 0)
        snprintf(out, 100, "%.*s", (int)(5 + strcspn(message + 5, "/: ")), message);
    else
        snprintf(out, 100, "national");
}

/* One of them for each subject: what counts is how many subjects there are. */
bool wanting_spent(struct wanting_spent *out, const struct live *l)
{
    out->message = ruleset_spent(record_ruleset(l->fold.record));
    for (const struct fault *fault = l->fold.faults; fault && !out->message; fault = fault->next)
        out->message = fault->is_spent ? fault->message : NULL;
    if (out->message)
        pack_of(out->pack, out->message);
    return out->message != NULL;
}

void wanting_note_spent(struct wanting *w, const char *subject, const struct wanting_spent *spent)
{
    struct wanting_pack *p = pack_named(w, spent->pack);

    if (!p)
        return;
    if (p->spent_count++ < NAMED)
        buf_printf(&p->spent, "%s: %s\n", subject, spent->message);
    w->is_hopeless = w->is_hopeless || p->spent_count >= WANTING_SPENT_MAX;
}

bool wanting_is_hopeless(const struct wanting *w)
{
    return w->is_hopeless;
}

/* ---- */

static bool is_refused(const struct wanting_pack *p)
{
    return p->move_count > 0 || p->spent_count >= WANTING_SPENT_MAX;
}

static void write_why(struct buf *out, const struct wanting_pack *p)
{
    buf_str(out, buf_cstr(&p->moves));
    if (p->move_count > NAMED)
        buf_printf(out, "and %zu more like these\n", p->move_count - NAMED);
    if (p->spent_count < WANTING_SPENT_MAX)
        return;
    buf_str(out, buf_cstr(&p->spent));
    buf_printf(out,
               "%s: so it is for %zu of those looked at so far: rules that use up their budgets "
               "for so many do not come into force\n",
               p->name, p->spent_count);
}

enum err_code wanting_check(const struct wanting *w, struct err *err)
{
    const struct wanting_pack *p = w->packs;
    struct buf why = { 0 };

    if (w->failed)
        return err_set(err, ERR_LIMIT, "no memory for what is wrong with packs");
    while (p && !is_refused(p))
        p = p->next;
    if (!p)
        return OK;
    write_why(&why, p);
    err_set(err, ERR_RULE, "%.*s", (int)strcspn(buf_cstr(&why), "\n"), buf_cstr(&why));
    buf_fini(&why);
    return ERR_RULE;
}

static void write_unclear(struct buf *out, const struct wanting_pack *p)
{
    for (const struct unclear *u = p->unclear; u; u = u->next)
        buf_printf(out,
                   "%s: %s is another one for %zu (%s%s): whether that is stricter the national "
                   "pack does not say\n",
                   p->name, u->rule, u->count, u->subject, u->count > 1 ? " and others" : "");
}

typedef void write_fn(struct buf *out, const struct wanting_pack *p);

static bool add_refusal(struct refusals *to, const struct wanting_pack *p, write_fn *write)
{
    struct refusal *r = arena_alloc(&to->arena, sizeof(*r));
    struct buf why = { 0 };

    write(&why, p);
    if (r)
        *r = (struct refusal){ .next = to->first,
                               .pack = arena_strdup(&to->arena, p->name),
                               .why = arena_strdup(&to->arena, buf_cstr(&why)) };
    bool ok = r && r->pack && r->why && !why.failed;
    buf_fini(&why);
    if (ok)
        to->first = r;
    return ok;
}

static bool is_unclear(const struct wanting_pack *p)
{
    return p->unclear != NULL;
}

static struct refusals *all_that(bool (*is_meant)(const struct wanting_pack *p), write_fn *write,
                                 const struct wanting *w)
{
    struct refusals *all = calloc(1, sizeof(*all));
    bool ok = all != NULL;

    for (const struct wanting_pack *p = w->packs; p && ok; p = p->next)
        if (is_meant(p))
            ok = add_refusal(all, p, write);
    if (ok && all->first)
        return all;
    refusals_free(all);
    return NULL;
}

struct refusals *wanting_refusals(const struct wanting *w)
{
    return all_that(is_refused, write_why, w);
}

struct refusals *wanting_unclear(const struct wanting *w)
{
    return all_that(is_unclear, write_unclear, w);
}

void wanting_reset(struct wanting *w)
{
    for (struct wanting_pack *p = w->packs, *next; p; p = next) {
        next = p->next;
        buf_fini(&p->moves);
        buf_fini(&p->spent);
        for (struct unclear *u = p->unclear, *after; u; u = after) {
            after = u->next;
            free(u);
        }
        free(p);
    }
    *w = (struct wanting){ 0 };
}

void wanting_fini(struct wanting *w)
{
    wanting_reset(w);
}
