/* import_links.c - `pathway import links`: which school continues which, as far as that is
 * simple. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/civil.h"
#include "base/csvfile.h"
#include "base/json.h"
#include "base/strmap.h"
#include "cli/commands.h"
#include "cli/gias.h"
#include "cli/gias_phase.h"
#include "cli/options.h"

#define DAYS_APART 92 /* between the day the old school closed and the day the new one opened */

static const struct option_spec OPTIONS[] = {
    { "register", "FILE.csv", "the schools register: a simple one closed as the other opened" },
    { "quiet", NULL, "do not list the links that are left to a person" },
    OPTION_END,
};

struct link {
    struct link *next;
    const char *urn, *link_urn; /* the old one, and the one that continues it */
    const char *type, *date;
    int64_t line;
};

/* What the register says of one school. */
struct registered {
    int32_t opened, closed; /* days */
    bool has_opened, has_closed;
    bool is_closed;
};

struct links {
    const char *path;
    const char *register_path; /* NULL: not given */
    struct arena arena;
    struct strmap successors;   /* URN to how many links say that another continues it */
    struct strmap predecessors; /* URN to how many it continues */
    struct strmap pairs;        /* "OLD NEW": there is such a link */
    struct strmap registered;   /* URN to struct registered */
    struct link *first, **end;
    int urn, link_urn, type, date;                               /* columns */
    int number, status_code, status_name, open_date, close_date; /* of the register */
    bool has_header, has_register_header;
    int64_t proposed, left;
    char why[256];
};

static enum err_code no_memory(const struct links *l, struct err *err)
{
    return err_set(err, ERR_LIMIT, "%s: no memory for its links", l->path);
}

static enum err_code read_header(struct links *l, const struct csv_row *row, struct err *err)
{
    static const char *const NAMES[] = { "URN", "LinkURN", "LinkType", "LinkEstablishedDate" };
    int *const columns[] = { &l->urn, &l->link_urn, &l->type, &l->date };

    l->has_header = true;
    for (size_t i = 0; i < 4; i++) {
        *columns[i] = csv_column(row, NAMES[i]);
        if (*columns[i] < 0)
            return err_set(err, ERR_INPUT,
                           "%s: there is no column '%s': expected the register's links", l->path,
                           NAMES[i]);
    }
    return OK;
}

static struct strmap_item *count(struct links *l, struct strmap *map, const char *key)
{
    const char *copy = arena_strdup(&l->arena, key);
    struct strmap_item *item = copy ? strmap_add(map, copy, strlen(copy), NULL) : NULL;

    if (item)
        item->as.num++;
    return item;
}

/* Links of any kind of succession count, so that what is not simple shows. */
static bool is_succession(const char *type)
{
    return strncmp(type, "Successor", 9) == 0 || strcmp(type, "Result of Amalgamation") == 0;
}

static bool is_precedence(const char *type)
{
    return strncmp(type, "Predecessor", 11) == 0;
}

static enum err_code note_pair(struct links *l, const char *from, const char *to, bool *is_new,
                               struct err *err)
{
    char pair[64];

    snprintf(pair, sizeof(pair), "%.20s %.20s", from, to);
    struct strmap_item *item = count(l, &l->pairs, pair);
    *is_new = item && item->as.num == 1;
    if (!item || (*is_new && (!count(l, &l->successors, from) || !count(l, &l->predecessors, to))))
        return no_memory(l, err);
    return OK;
}

static enum err_code take_row(const struct csv_row *row, void *arg, struct err *err)
{
    struct links *l = arg;
    bool is_new;

    if (!l->has_header)
        return read_header(l, row, err);
    const char *urn = csv_field(row, l->urn), *other = csv_field(row, l->link_urn);
    const char *type = csv_field(row, l->type);
    if (is_precedence(type))
        return note_pair(l, other, urn, &is_new, err);
    if (!is_succession(type))
        return OK;
    struct link *k = arena_alloc(&l->arena, sizeof(*k));
    if (!k)
        return no_memory(l, err);
    *k = (struct link){ .urn = arena_strdup(&l->arena, urn),
                        .link_urn = arena_strdup(&l->arena, other),
                        .type = arena_strdup(&l->arena, type),
                        .date = arena_strdup(&l->arena, csv_field(row, l->date)),
                        .line = row->line };
    if (!k->urn || !k->link_urn || !k->type || !k->date)
        return no_memory(l, err);
    *l->end = k;
    l->end = &k->next;
    return note_pair(l, urn, other, &is_new, err);
}

/* ---- the register ---- */

static enum err_code read_register_header(struct links *l, const struct csv_row *row,
                                          struct err *err)
{
    l->has_register_header = true;
    l->number = csv_column(row, "URN");
    l->status_code = csv_column(row, "EstablishmentStatus (code)");
    l->status_name = csv_column(row, "EstablishmentStatus (name)");
    l->open_date = csv_column(row, "OpenDate");
    l->close_date = csv_column(row, "CloseDate");
    if (l->number < 0 || (l->status_code < 0 && l->status_name < 0) || l->open_date < 0 ||
        l->close_date < 0)
        return err_set(err, ERR_INPUT,
                       "%s: expected the schools register, with the columns URN, "
                       "EstablishmentStatus, OpenDate and CloseDate",
                       l->register_path);
    return OK;
}

static enum err_code take_school(const struct csv_row *row, void *arg, struct err *err)
{
    struct links *l = arg;
    char urn[GIAS_NUMBER_TEXT];
    bool is_new;

    if (!l->has_register_header)
        return read_register_header(l, row, err);
    if (!gias_number(urn, csv_field(row, l->number), 6))
        return OK;
    const char *status =
        gias_status(csv_field(row, l->status_code), csv_field(row, l->status_name));
    const char *key = arena_strdup(&l->arena, urn);
    struct registered *r = arena_alloc(&l->arena, sizeof(*r));
    struct strmap_item *item =
        key && r ? strmap_add(&l->registered, key, strlen(key), &is_new) : NULL;
    if (!item)
        return no_memory(l, err);
    *r = (struct registered){ .is_closed = status && strcmp(status, "closed") == 0 };
    r->has_opened = gias_date(&r->opened, csv_field(row, l->open_date));
    r->has_closed = gias_date(&r->closed, csv_field(row, l->close_date));
    if (is_new) /* of one that is there twice, the first row, as `import schools` has it */
        item->as.ptr = r;
    return OK;
}

static const struct registered *registered(const struct links *l, const char *urn)
{
    const struct strmap_item *item = strmap_find(&l->registered, urn, strlen(urn));
    return item ? item->as.ptr : NULL;
}

/* Did the one close as the other opened? *opened: on which day that was. NULL: yes; else why a
 * person must look. */
static const char *why_not_by_register(struct links *l, const struct link *k, int32_t *opened)
{
    const struct registered *old = registered(l, k->urn), *new = registered(l, k->link_urn);
    char from[DAY_TEXT], to[DAY_TEXT];

    if (!old)
        return "the register does not have the school";
    if (!new)
        return "the register does not have the successor";
    if (!old->is_closed)
        return "the register does not say that the school is closed";
    if (!old->has_closed)
        return "the register does not say when the school closed";
    if (!new->has_opened)
        return "the register does not say when the successor opened";
    int32_t apart = new->opened - old->closed;
    *opened = new->opened;
    if (apart >= -DAYS_APART && apart <= DAYS_APART)
        return NULL;
    snprintf(l->why, sizeof(l->why),
             "it closed on %s and its successor opened on %s: %d days apart, and more than %d are "
             "for a person to judge",
             day_text(old->closed, from), day_text(new->opened, to), apart < 0 ? -apart : apart,
             DAYS_APART);
    return l->why;
}

/* ---- what is simple ---- */

static int64_t number(const struct strmap *map, const char *key)
{
    const struct strmap_item *item = strmap_find(map, key, strlen(key));
    return item ? item->as.num : 0;
}

static bool has_pair(const struct links *l, const char *from, const char *to)
{
    char pair[64];

    snprintf(pair, sizeof(pair), "%.20s %.20s", from, to);
    return number(&l->pairs, pair) > 0;
}

static bool is_urn(const char *text)
{
    return strlen(text) == 6 && strspn(text, "0123456789") == 6;
}

/* NULL: it is simple; else why a person must look at it. */
static const char *why_not(struct links *l, const struct link *k, int32_t *day)
{
    bool has_day = gias_date(day, k->date);
    int32_t opened = 0;

    if (!is_urn(k->urn) || !is_urn(k->link_urn))
        return "its numbers are no URNs";
    if (strcmp(k->urn, k->link_urn) == 0)
        return "a school would continue itself";
    if (strcmp(k->type, "Successor") != 0)
        return "a merger, an amalgamation or a split: who continues whose record is for a person "
               "to say";
    if (has_pair(l, k->link_urn, k->urn))
        return "each would continue the other";
    if (number(&l->successors, k->urn) > 1)
        return "the school has several successors";
    if (number(&l->predecessors, k->link_urn) > 1)
        return "the successor continues several schools";
    const char *why = l->register_path ? why_not_by_register(l, k, &opened) : NULL;
    if (why)
        return why;
    if (!has_day && !l->register_path)
        return "it has no date";
    if (!has_day) /* a quarter of the register's links have none */
        *day = opened;
    return NULL;
}

static void propose(struct links *l, const struct link *k, int32_t day)
{
    char time[TIME_TEXT];

    l->proposed++;
    printf("{\"specversion\":\"1.0\",\"id\":\"succeeded/%s/%s\",\"source\":\"urn:gias:links\","
           "\"type\":\"school.succeeded\",\"subject\":\"school/%s\",\"time\":\"%s\","
           "\"data\":{\"predecessor\":\"school/%s\"}}\n",
           k->urn, k->link_urn, k->link_urn, time_text(london_midnight(day), time), k->urn);
}

static void tell(const struct links *l)
{
    fprintf(stderr, "%s: %lld successions proposed, %lld left to a person\n", l->path,
            (long long)l->proposed, (long long)l->left);
    if (!l->register_path && l->proposed > 0)
        fprintf(stderr, "By the links alone: with --register those are left to a person too whose "
                        "schools did not close and open at about the same time.\n");
}

static enum cli_exit run(const struct args *args)
{
    struct links l = { .path = args->operands[0], .register_path = args_text(args, "register") };
    struct err err;
    int32_t day = 0;

    l.end = &l.first;
    enum err_code rc = civil_init(&err);
    if (rc == OK)
        rc = csvfile_read(l.path, take_row, &l, &err);
    if (rc == OK && l.register_path)
        rc = csvfile_read(l.register_path, take_school, &l, &err);
    for (const struct link *k = rc == OK ? l.first : NULL; k; k = k->next) {
        const char *why = why_not(&l, k, &day);
        if (!why) {
            propose(&l, k, day);
            continue;
        }
        l.left++;
        if (!args_flag(args, "quiet"))
            fprintf(stderr, "%s:%lld: %.20s to %.20s (%s): %s\n", l.path, (long long)k->line,
                    k->urn, k->link_urn, k->type, why);
    }
    if (rc == OK)
        tell(&l);
    strmap_fini(&l.registered);
    strmap_fini(&l.successors);
    strmap_fini(&l.predecessors);
    strmap_fini(&l.pairs);
    arena_fini(&l.arena);
    if (rc == ERR_INPUT)
        err.code = ERR_IO;
    return rc == OK ? CLI_DONE : cli_fail(&err);
}

const struct command import_links_command = {
    .name = "import links",
    .operands = "FILE.csv",
    .summary = "propose which school continues which, from the register's links",
    .help = "Reads the register's links (links_edubasealldata, as downloaded) and prints an event\n"
            "school.succeeded for each link that is simple: one school, one successor that "
            "continues no\n"
            "other, and by the schools register (--register) the one closed and the other opened "
            "within 92\n"
            "days of each other. The day is the link's, or that on which the successor opened. "
            "Mergers,\n"
            "amalgamations, splits, circles and what the register says otherwise are told on "
            "standard error\n"
            "with the reason: they are for a person to decide. Nothing is sent: look at what is "
            "proposed,\n"
            "then give it to `pathway send`.",
    .example =
        "pathway import links data/links.csv --register data/schools.csv > successions.ndjson",
    .options = OPTIONS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
