/* changes.c - `pathway changes`: the feed, from a number on. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"

#define PAGE "1000"

static const struct option_spec OPTIONS[] = {
    { "after", "SEQ", "only entries behind this number (0: all)" },
    OPTION_END,
};

static void print_entry(const struct json *entry, bool as_json)
{
    struct buf b = { 0 };

    if (as_json) {
        json_write(&b, entry);
    } else {
        const struct json *data = json_get(entry, "data");
        layout_value(&b, json_get(data, "seq"));
        buf_str(&b, "  ");
        layout_value(&b, json_get(entry, "time"));
        buf_str(&b, "  ");
        layout_value(&b, json_get(entry, "subject"));
        buf_str(&b, "  ");
        layout_value(&b, json_get(data, "decision"));
        buf_str(&b, ": ");
        layout_value(&b, json_get(data, "old"));
        buf_str(&b, " -> ");
        layout_value(&b, json_get(data, "new"));
    }
    puts(buf_cstr(&b));
    buf_fini(&b);
}

/* Print one page; *after moves behind it, *count is what it held. */
static enum err_code print_page(int64_t *after, uint32_t *count, struct place *place, bool as_json,
                                struct err *err)
{
    char number[24];
    snprintf(number, sizeof(number), "%lld", (long long)*after);
    const struct param params[] = { { "after", number }, { "limit", PAGE }, { NULL, NULL } };
    struct arena arena = { 0 };
    struct buf answer = { 0 };
    const struct json *page = NULL;

    enum err_code rc = place_ask(&answer, place, "changes", params, err);
    if (rc == OK)
        rc = json_parse(&page, &arena, buf_cstr(&answer), answer.len, 64, err);
    const struct json *items = json_get(page, "items");
    const struct json *next = json_get(page, "next");
    *count = items && items->type == JSON_ARRAY ? items->len : 0;
    for (const struct json *entry = *count ? items->as.first : NULL; entry; entry = entry->next)
        print_entry(entry, as_json);
    if (next && next->type == JSON_INT && next->as.integer > *after)
        *after = next->as.integer;
    else
        *count = 0; /* an answer that does not move on would be asked for ever */
    buf_fini(&answer);
    arena_fini(&arena);
    return rc;
}

static enum cli_exit run(const struct args *args)
{
    int64_t after = 0;
    uint32_t count = 1;
    struct place *place = NULL;
    struct err err;

    enum err_code rc = args_number(&after, args, "after", 0, INT64_MAX, 0, &err);
    if (rc == OK)
        rc = place_open(&place, args, &err);
    while (rc == OK && count)
        rc = print_page(&after, &count, place, args_flag(args, "json"), &err);
    place_close(place);
    return rc == OK ? CLI_DONE : cli_fail(&err);
}

const struct command changes_command = {
    .name = "changes",
    .operands = "",
    .summary = "the feed of changed decisions",
    .help =
        "Prints the feed: each entry has a number, and numbers have no gaps, so that the last one\n"
        "printed is where to go on. With --json: a CloudEvent a line.",
    .example = "pathway changes --after 4711",
    .options = OPTIONS,
    .asks = true,
    .run = run,
};
