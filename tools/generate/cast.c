/* cast.c - see cast.h. Reading comes first, then joining rows into schools, which both ways
 * share. */
#include "cast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "table.h"

#define CONVERSION_DAYS 92 /* a successor that opens later than this is another story */

const struct establishment *school_on(const struct school *s, int32_t day)
{
    for (const struct establishment *e = s->first; e; e = e->next) {
        if (day >= e->opens && day <= e->closes)
            return e;
    }
    return NULL;
}

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the schools");
}

/* dd-mm-yyyy as the register writes it; blank and 01-01-1900 say that nobody knows. */
static enum err_code register_day(int32_t *out, const char *s, int32_t unknown, int line,
                                  struct err *err)
{
    int day, month, year;
    char rest;

    *out = unknown;
    if (*s == '\0' || strcmp(s, "01-01-1900") == 0)
        return OK;
    if (sscanf(s, "%2d-%2d-%4d%c", &day, &month, &year, &rest) != 3)
        return err_set(err, ERR_INPUT, "register, row %d: '%s' is not a date like 31-08-2020", line,
                       s);
    *out = day_from_ymd(year, month, day);
    return OK;
}

static enum err_code take_hub(const char *const *cells, int line, void *arg, struct err *err)
{
    struct cast *c = arg;
    char *code = arena_strdup(&c->arena, cells[0]);
    char *hub = arena_strdup(&c->arena, cells[1]);

    (void)line;
    struct strmap_item *item = code ? strmap_add(&c->hubs, code, strlen(code), NULL) : NULL;
    struct strmap_item *name = hub ? strmap_add(&c->codes, hub, strlen(hub), NULL) : NULL;
    if (!item || !name)
        return no_memory(err);
    item->as.ptr = (void *)(uintptr_t)name->key;
    return OK;
}

static struct establishment *add(struct cast *c, const char *urn)
{
    size_t len = strlen(urn);
    struct establishment *e = arena_alloc(&c->arena, sizeof(*e));
    char *subject = arena_alloc(&c->arena, len + sizeof("school/"));

    if (!e || !subject)
        return NULL;
    memcpy(subject, "school/", 7);
    memcpy(subject + 7, urn, len + 1);
    e->subject = subject;
    e->urn = subject + 7;
    e->opens = DAY_FIRST;
    e->closes = DAY_LAST;
    e->phase = "primary";
    struct strmap_item *item = strmap_add(&c->by_urn, e->urn, len, NULL);
    if (!item)
        return NULL;
    item->as.ptr = e;
    return e;
}

static const char *hub_of(const struct cast *c, const char *urn, const char *la)
{
    struct strmap_item *item = strmap_find(&c->hubs, urn, strlen(urn));

    if (!item)
        item = strmap_find(&c->hubs, la, strlen(la));
    return item ? item->as.ptr : NULL;
}

enum { URN, LA, STATUS, OPENED, CLOSED, PHASE, REGISTER_COLUMNS };

static enum err_code take_school(const char *const *cells, int line, void *arg, struct err *err)
{
    struct cast *c = arg;
    struct establishment *e = add(c, cells[URN]);
    enum err_code rc;

    if (!e)
        return no_memory(err);
    if ((rc = register_day(&e->opens, cells[OPENED], DAY_FIRST, line, err)) != OK)
        return rc;
    bool is_closed = strcmp(cells[STATUS], "Closed") == 0;
    int32_t unknown = is_closed ? DAY_FIRST : DAY_LAST;
    if ((rc = register_day(&e->closes, is_closed ? cells[CLOSED] : "", unknown, line, err)) != OK)
        return rc;
    e->hub = hub_of(c, cells[URN], cells[LA]);
    e->takes_part = e->hub && strcmp(cells[STATUS], "Proposed to open") != 0 &&
                    (strcmp(cells[PHASE], "Primary") == 0 ||
                     strcmp(cells[PHASE], "Middle deemed primary") == 0 ||
                     strcmp(cells[PHASE], "All-through") == 0);
    return OK;
}

static struct establishment *find(const struct cast *c, const char *urn)
{
    struct strmap_item *item = strmap_find(&c->by_urn, urn, strlen(urn));

    return item ? item->as.ptr : NULL;
}

/* An academy goes on with the first school that names it; other schools were merged into it. */
static void link_up(struct establishment *from, struct establishment *to)
{
    if (!from->takes_part || !to->takes_part || from->next || from->heir || from == to ||
        from->closes == DAY_LAST || from->closes == DAY_FIRST)
        return;
    bool follows = to->opens != DAY_FIRST && to->opens > from->closes &&
                   to->opens <= from->closes + CONVERSION_DAYS;
    if (follows && !to->continues) {
        from->next = to;
        to->continues = true;
    } else if (to->opens <= from->closes + CONVERSION_DAYS) {
        from->heir = to;
    }
}

static enum err_code take_link(const char *const *cells, int line, void *arg, struct err *err)
{
    struct establishment *from = find(arg, cells[0]), *to = find(arg, cells[1]);

    (void)line;
    (void)err;
    if (from && to && strncmp(cells[2], "Successor", 9) == 0)
        link_up(from, to);
    return OK;
}

/* Hub by hub, the first establishment of each chain becomes a school. */
static enum err_code gather(struct cast *c, struct err *err)
{
    c->schools = calloc(c->by_urn.count + 1, sizeof(*c->schools));
    if (!c->schools)
        return no_memory(err);
    for (uint32_t h = 0; h < c->codes.count; h++) {
        for (uint32_t i = 0; i < c->by_urn.count; i++) {
            struct establishment *e = c->by_urn.items[i].as.ptr;
            if (e->takes_part && !e->continues && e->hub == c->codes.items[h].key)
                c->schools[c->count++] = (struct school){ .first = e, .hub = e->hub };
        }
    }
    if (c->count == 0)
        return err_set(err, ERR_INPUT,
                       "no school of the register is a primary school of a known hub; "
                       "the hubs file needs lines like '850,07' for its LA codes");
    return OK;
}

enum err_code cast_read(struct cast *c, const char *registry, const char *hubs, const char *links,
                        struct err *err)
{
    static const char *const HUB[] = { "code", "hub" };
    static const char *const LINK[] = { "URN", "LinkURN", "LinkType" };
    static const char *const REGISTER[REGISTER_COLUMNS] = {
        "URN",      "LA (code)", "EstablishmentStatus (name)",
        "OpenDate", "CloseDate", "PhaseOfEducation (name)",
    };
    enum err_code rc = table_read(hubs, HUB, 2, take_hub, c, err);

    if (rc == OK)
        rc = table_read(registry, REGISTER, REGISTER_COLUMNS, take_school, c, err);
    if (rc == OK && links)
        rc = table_read(links, LINK, 3, take_link, c, err);
    return rc == OK ? gather(c, err) : rc;
}

/* Every fortieth school becomes an academy, every hundredth closes. */
static enum err_code invent(struct cast *c, int number, const char *hub, int year, struct err *err)
{
    char urn[16];

    snprintf(urn, sizeof(urn), "%d", 2000001 + number);
    struct establishment *e = add(c, urn);
    if (!e)
        return no_memory(err);
    e->hub = hub;
    e->takes_part = true;
    e->phase = number % 9 == 4 ? "infant" : number % 9 == 7 ? "junior" : "primary";
    int32_t change = day_from_ymd(year + 2 + number / 40 % 8, 1 + number % 12, 1);
    if (number % 100 == 99)
        e->closes = change - 1;
    if (number % 40 != 17)
        return OK;
    snprintf(urn, sizeof(urn), "%d", 3000001 + number);
    struct establishment *academy = add(c, urn);
    if (!academy)
        return no_memory(err);
    academy->hub = hub;
    academy->takes_part = true;
    academy->phase = e->phase;
    academy->opens = change;
    e->closes = change - 1;
    link_up(e, academy);
    return OK;
}

enum err_code cast_invent(struct cast *c, int count, int hub_size, int year, struct err *err)
{
    char code[16];
    enum err_code rc = OK;

    for (int i = 0; i < count && rc == OK; i++) {
        snprintf(code, sizeof(code), "%02d", 1 + i / hub_size);
        struct strmap_item *item = strmap_find(&c->codes, code, strlen(code));
        if (!item) {
            char *key = arena_strdup(&c->arena, code);
            item = key ? strmap_add(&c->codes, key, strlen(key), NULL) : NULL;
        }
        rc = item ? invent(c, i, item->key, year, err) : no_memory(err);
    }
    return rc == OK ? gather(c, err) : rc;
}

void cast_fini(struct cast *c)
{
    arena_fini(&c->arena);
    strmap_fini(&c->by_urn);
    strmap_fini(&c->hubs);
    strmap_fini(&c->codes);
    free(c->schools);
}
