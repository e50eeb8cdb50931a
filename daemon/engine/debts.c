/* debts.c - see debts.h. */
#include "engine/debts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/strmap.h"

/* A subject of such a hub is paid for with so many times its time: one in twenty-five goes to all
 * of them. */
#define PAYS 24
/* So many quick ones in a row, and the hub is trusted again. */
#define QUICK_ROW 16

struct debtor {
    bool owes;
    int quick;
};
struct held {
    struct held *next;
    const char *subject;
    struct debtor *debtor;
};

struct debts {
    struct arena arena; /* until all are released */
    struct strmap
        debtors; /* hub, or a subject that has left one, to struct debtor; all on the heap */
    struct strmap subjects; /* those that are held back, to struct held; NULL: not any more */
    struct held *first, **end;
    size_t owing, held;
    const char *turn; /* the arena's; NULL: nobody's */
    int64_t next_at;  /* monotonic: nobody's turn before */
};

enum err_code debts_new(struct debts **out, struct err *err)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return err_set(err, ERR_LIMIT, "no memory for what hubs owe");
    (*out)->end = &(*out)->first;
    return OK;
}

void debts_release(struct debts *d)
{
    strmap_fini(&d->subjects);
    d->subjects = (struct strmap){ 0 };
    d->first = NULL;
    d->end = &d->first;
    d->held = 0;
    d->turn = NULL;
    arena_reset(&d->arena);
}

void debts_forgive(struct debts *d)
{
    debts_release(d);
    for (uint32_t i = 0; i < d->debtors.count; i++) {
        free((char *)(uintptr_t)d->debtors.items[i].key);
        free(d->debtors.items[i].as.ptr);
    }
    strmap_fini(&d->debtors);
    d->debtors = (struct strmap){ 0 };
    d->owing = 0;
    d->next_at = 0;
}

void debts_free(struct debts *d)
{
    if (!d)
        return;
    debts_forgive(d);
    arena_fini(&d->arena);
    free(d);
}

/* ---- who owes ---- */

static struct debtor *find(const struct debts *d, const char *key)
{
    const struct strmap_item *item = key ? strmap_find(&d->debtors, key, strlen(key)) : NULL;
    return item ? item->as.ptr : NULL;
}

static struct debtor *add(struct debts *d, const char *key)
{
    struct debtor *debtor = calloc(1, sizeof(*debtor));
    char *copy = strdup(key);
    struct strmap_item *item =
        debtor && copy ? strmap_add(&d->debtors, copy, strlen(copy), NULL) : NULL;

    if (!item) { /* it is let off */
        free(debtor);
        free(copy);
        return NULL;
    }
    item->as.ptr = debtor;
    return debtor;
}

/* One that has left a hub is still folded by its rules for the time before. */
static const char *key_of(const struct fold *f)
{
    const char *hub = ruleset_hub(record_ruleset(f->record));
    return hub ? hub : f->handovers > 0 ? f->subject : NULL;
}

bool debts_are_owed(const struct debts *d)
{
    return d->owing > 0;
}

static bool owes(const struct debts *d, const char *key)
{
    const struct debtor *debtor = find(d, key);
    return debtor && debtor->owes;
}

bool debts_must_wait(const struct debts *d, const char *subject, const char *hub)
{
    if (d->owing == 0 || (d->turn && strcmp(d->turn, subject) == 0))
        return false;
    return owes(d, hub) || owes(d, subject);
}

static void begin_owing(struct debts *d, struct debtor *debtor, const struct fold *f,
                        int64_t took_us)
{
    debtor->quick = 0;
    d->next_at = clock_monotonic() + PAYS * took_us;
    if (debtor->owes)
        return;
    debtor->owes = true;
    d->owing++;
    log_warn("rules: slow hub=%s subject=%s took_ms=%lld: it is judged one at a time", key_of(f),
             f->subject, (long long)took_us / 1000);
}

void debts_charge(struct debts *d, const struct fold *f, int64_t took_us, bool is_slow)
{
    const char *key = key_of(f);
    struct debtor *debtor = key && (is_slow || d->owing > 0) ? find(d, key) : NULL;

    if (d->turn && strcmp(d->turn, f->subject) == 0)
        d->turn = NULL;
    if (key && is_slow && !debtor)
        debtor = add(d, key);
    if (!debtor)
        return;
    if (is_slow) {
        begin_owing(d, debtor, f, took_us);
    } else if (debtor->owes && ++debtor->quick >= QUICK_ROW) {
        debtor->owes = false;
        d->owing--;
        log_info("rules: no longer slow hub=%s", key);
    }
}

/* ---- who waits ---- */

enum err_code debts_hold(struct debts *d, const char *subject, const char *hub, struct err *err)
{
    struct strmap_item *item = strmap_find(&d->subjects, subject, strlen(subject));

    if (item && item->as.ptr)
        return OK;
    struct held *h = arena_alloc(&d->arena, sizeof(*h));
    const char *name = item ? item->key : arena_strdup(&d->arena, subject);
    if (!item && h && name)
        item = strmap_add(&d->subjects, name, strlen(name), NULL);
    if (!h || !name || !item)
        return err_set(err, ERR_LIMIT, "no memory to hold back a subject");
    *h = (struct held){ .subject = name, .debtor = find(d, owes(d, hub) ? hub : subject) };
    item->as.ptr = h;
    *d->end = h;
    d->end = &h->next;
    d->held++;
    return OK;
}

static const char *take_first(struct debts *d)
{
    struct held *h = d->first;

    d->first = h->next;
    if (!d->first)
        d->end = &d->first;
    d->held--;
    strmap_find(&d->subjects, h->subject, strlen(h->subject))->as.ptr = NULL;
    return d->turn = h->subject;
}

const char *debts_next(struct debts *d, int64_t now)
{
    if (d->turn || !d->first || (now < d->next_at && d->first->debtor && d->first->debtor->owes))
        return NULL;
    return take_first(d);
}

void debts_pass(struct debts *d)
{
    d->turn = NULL;
}

int64_t debts_turn_at(const struct debts *d)
{
    return d->first && !d->turn ? d->next_at : INT64_MAX;
}

size_t debts_held(const struct debts *d)
{
    return d->held;
}

void debts_list(const struct debts *d, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (uint32_t i = 0; d->owing > 0 && i < d->debtors.count; i++) {
        const struct debtor *debtor = d->debtors.items[i].as.ptr;
        size_t len = strlen(d->debtors.items[i].key);
        if (!debtor->owes || used + len + 2 > size)
            continue;
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? " " : "",
                                 d->debtors.items[i].key);
    }
}
