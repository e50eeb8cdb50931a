/* changes.c - `pathway changes`: the feed, from a number on, and what comes to it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/civil.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"

#define PAGE      "1000"
#define WAIT_S    "30" /* how long a daemon may hold our question while nothing comes */
#define PLACE_MAX 64
#define PAUSE_MS  500 /* between questions to a database, and to a daemon that does not answer */

static const struct option_spec OPTIONS[] = {
    { "after", "ID", "only entries behind the one with this id, or behind a number (0: all)" },
    { "follow", NULL, "wait for more and print each entry as it comes" },
    OPTION_END,
};

/* How far a reader of the feed has come. */
struct follower {
    struct place *place;
    int64_t after;
    char from[PLACE_MAX]; /* the same as the entry's id, once that is known: the feed may turn out
                             not to have it */
    uint32_t count;       /* entries of the last page */
    bool as_json;
    bool is_waiting; /* the daemon may hold the question until there is something */
};

static void print_entry(const struct json *entry)
{
    struct buf b = { 0 };

    layout_change(&b, entry);
    puts(buf_cstr(&b));
    buf_fini(&b);
}

/* The same bytes that every other reader of the feed gets: what was parsed has its members in
 * another order. */
static enum err_code print_lines(const struct follower *f, const char *after, struct err *err)
{
    char count[16];
    snprintf(count, sizeof(count), "%u", (unsigned)f->count);
    const struct param params[] = {
        { "after", after }, { "limit", count }, { "format", "ndjson" }, { NULL, NULL }
    };

    return place_print(stdout, f->place, "changes", params, err);
}

/* Print one page; `after` moves behind it. */
static enum err_code print_page(struct follower *f, struct err *err)
{
    char from[PLACE_MAX];
    memcpy(from, f->from, sizeof(from));
    const struct param params[] = { { "after", from },
                                    { "limit", PAGE },
                                    { "wait", f->is_waiting ? WAIT_S : NULL },
                                    { NULL, NULL } };
    struct arena arena = { 0 };
    struct buf answer = { 0 };
    const struct json *page = NULL;

    enum err_code rc = place_ask(&answer, f->place, "changes", params, err);
    if (rc == OK)
        rc = json_parse(&page, &arena, buf_cstr(&answer), answer.len, 64, err);
    const struct json *items = json_get(page, "items");
    const struct json *next = json_get(page, "next"), *place = json_get(page, "place");
    f->count = items && items->type == JSON_ARRAY ? items->len : 0;
    if (rc == OK && f->as_json && f->count)
        rc = print_lines(f, from, err);
    else if (f->count)
        for (const struct json *entry = items->as.first; entry; entry = entry->next)
            print_entry(entry);
    if (rc == OK && next && next->type == JSON_INT && next->as.integer > f->after)
        f->after = next->as.integer;
    else
        f->count = 0; /* an answer that does not move on would be asked for ever */
    if (rc == OK && place && place->type == JSON_STRING && place->len < sizeof(f->from))
        memcpy(f->from, place->as.string, place->len + 1);
    buf_fini(&answer);
    arena_fini(&arena);
    return rc;
}

static void pause_for_a_moment(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
}

/* A daemon that went away comes back: said once, then asked until it answers. */
static enum err_code outlast(enum err_code rc, bool *is_away, const struct follower *f,
                             const struct err *err)
{
    bool may_pass = place_client(f->place) && (rc == ERR_IO || rc == ERR_BUSY);

    if (rc == OK || !may_pass) {
        *is_away = false;
        return rc;
    }
    if (!*is_away)
        fprintf(stderr, "pathway: %s; trying again\n", err->msg);
    *is_away = true;
    pause_for_a_moment();
    return OK;
}

/* Ends with an error only: somebody stops us. */
static enum err_code follow(struct follower *f, struct err *err)
{
    bool is_away = false;
    enum err_code rc = OK;

    f->is_waiting = place_client(f->place) != NULL;
    while (rc == OK) {
        f->count = 0;
        rc = outlast(print_page(f, err), &is_away, f, err);
        if (fflush(stdout) != 0)
            return err_set(err, ERR_IO, "cannot write to standard output");
        if (!f->is_waiting && !f->count)
            pause_for_a_moment();
    }
    return rc;
}

/* A number, or an entry's id. */
static enum err_code read_after(struct follower *f, const struct args *args, struct err *err)
{
    const char *text = args_text(args, "after");
    const char *slash = text ? strrchr(text, '/') : NULL;

    if (!slash || strlen(text) >= sizeof(f->from)) {
        enum err_code rc = args_number(&f->after, args, "after", 0, INT64_MAX, 0, err);
        snprintf(f->from, sizeof(f->from), "%lld", (long long)f->after);
        return rc;
    }
    snprintf(f->from, sizeof(f->from), "%s", text); /* whom we ask knows whether it is one */
    f->after = strtoll(slash + 1, NULL, 10);
    return OK;
}

static enum cli_exit run(const struct args *args)
{
    struct follower f = { .count = 1, .as_json = args_flag(args, "json") };
    struct err err;

    enum err_code rc = read_after(&f, args, &err);
    if (rc == OK)
        rc = civil_init(&err);
    if (rc == OK)
        rc = place_open(&f.place, args, &err);
    while (rc == OK && f.count)
        rc = print_page(&f, &err);
    if (rc == OK && args_flag(args, "follow")) {
        fflush(stdout);
        rc = follow(&f, &err);
    }
    place_close(f.place);
    return rc == OK ? CLI_DONE : cli_fail(&err);
}

const struct command changes_command = {
    .name = "changes",
    .operands = "",
    .summary = "the feed of changed decisions",
    .help =
        "Prints the feed: each entry has a number, and numbers have no gaps, so that the last one\n"
        "printed is where to go on. A line says when which decision of which subject changed from\n"
        "what to what, and because of which events, moment or rules. With --json: a CloudEvent a\n"
        "line. With --follow it goes on until it is stopped, through restarts of the daemon too; "
        "it\n"
        "ends when the database is restored from a backup that does not hold what was printed.\n"
        "Who keeps the id of the last entry (--json has it), and gives that, is told so too; a\n"
        "number alone may be another entry's by then.",
    .example = "pathway changes --after 87152e7bf84f5bd0/4711 --follow",
    .no = "the feed does not have the entry with that id",
    .options = OPTIONS,
    .asks = true,
    .run = run,
};
