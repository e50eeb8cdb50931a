/* overlay.c - `pathway overlay`: a hub's rules to and from the daemon. */
#include <stdio.h>
#include <string.h>

#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/place.h"
#include "cli/reload.h"
#include "lua/folder.h"

/* The hub of a folder is the folder's name. */
static enum err_code hub_of_folder(char *out, size_t size, const char *dir, struct err *err)
{
    size_t len = strlen(dir);

    while (len > 1 && dir[len - 1] == '/')
        len--;
    size_t from = len;
    while (from > 0 && dir[from - 1] != '/')
        from--;
    if (len == from || len - from >= size || dir[from] == '.')
        return err_set(err, ERR_INPUT,
                       "%.120s: the folder of an overlay is called as its hub, as "
                       "hubs/07",
                       dir);
    snprintf(out, size, "%.*s", (int)(len - from), dir + from);
    return OK;
}

/* --hub, else the folder's name. */
static enum err_code find_hub(char *out, size_t size, const struct args *args, struct err *err)
{
    const char *given = args_text(args, "hub");

    if (!given)
        return hub_of_folder(out, size, args->operands[0], err);
    snprintf(out, size, "%s", given);
    return OK;
}

/* {"overlay.lua":"..."} of the files of the overlay in `dir`. */
static enum err_code write_files(struct buf *out, const char *dir, struct err *err)
{
    struct arena arena = { 0 };
    struct rule_files files;
    int count = 0;

    enum err_code rc = folder_read(&files, &arena, dir, rules_folder(NULL), err);
    buf_char(out, '{');
    for (int i = 0; rc == OK && i < files.count; i++) {
        const struct ruleset_file *f = &files.files[i];
        size_t ignored;
        if (!folder_hub_of(f->path, &ignored))
            continue;
        buf_str(out, count++ ? "," : "");
        json_write_cstr(out, strrchr(f->path, '/') + 1);
        buf_char(out, ':');
        json_write_string(out, f->text, f->len);
    }
    buf_char(out, '}');
    arena_fini(&arena);
    if (rc == OK && (!files.is_one_overlay || count == 0))
        rc = err_set(err, ERR_INPUT, "%.120s: expected one hub's own folder, as hubs/07", dir);
    return rc;
}

static void write_route(struct buf *out, const char *hub, const char *more)
{
    buf_str(out, "/v1/overlays/");
    client_escape(out, hub);
    buf_str(out, more);
}

static enum cli_exit run_push(const struct args *args)
{
    struct buf body = { 0 }, path = { 0 };
    char hub[72];
    struct err err;

    enum err_code rc = find_hub(hub, sizeof(hub), args, &err);
    if (rc == OK)
        rc = write_files(&body, args->operands[0], &err);
    if (rc == OK)
        write_route(&path, hub, "");
    struct exchange x = { .method = "PUT",
                          .path = buf_cstr(&path),
                          .content_type = "application/json",
                          .body = buf_cstr(&body),
                          .body_len = body.len };
    enum cli_exit code = rc == OK ? rules_call(args, &x) : cli_fail(&err);
    buf_fini(&body);
    buf_fini(&path);
    return code;
}

static enum cli_exit run_rollback(const struct args *args)
{
    struct buf path = { 0 };

    write_route(&path, args->operands[0], "/rollback");
    struct exchange x = { .method = "POST",
                          .path = buf_cstr(&path),
                          .content_type = "application/json",
                          .body = "{}",
                          .body_len = 2 };
    enum cli_exit code = rules_call(args, &x);
    buf_fini(&path);
    return code;
}

static enum cli_exit run_status(const struct args *args)
{
    const struct param params[] = { { "hub", args->operands[0] }, { NULL, NULL } };

    return asked_pairs(args, "overlay", params);
}

static const struct option_spec PUSH_OPTIONS[] = {
    { "hub", "CODE", "the hub; the folder's name when not given" },
    OPTION_END,
};

const struct command overlay_push_command = {
    .name = "overlay push",
    .operands = "DIR",
    .summary = "send a hub's overlay to the daemon, to be in force",
    .help = "Sends the files of one hub's own folder. The daemon loads them beside what runs, runs "
            "their\n"
            "tests, judges every subject by them while it serves, and changes over in one step; or "
            "says\n"
            "what is wrong and stays with what it has. What was pushed counts until it is pushed "
            "again,\n"
            "rolled back, or changed in the daemon's own rules folder.",
    .example = "pathway overlay push rules/hubs/07",
    .options = PUSH_OPTIONS,
    .no = "the overlay was not taken: what is wrong with it is printed",
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_push,
};

const struct command overlay_status_command = {
    .name = "overlay status",
    .operands = "HUB",
    .summary = "since when a hub's overlay is in force, and what became of the last attempt",
    .help = "Prints the generation that brought the overlay as it is, since when it judges, when "
            "it was\n"
            "last tried, and what was wrong then, if anything was.",
    .example = "pathway overlay status 07",
    .no = "there is no such overlay",
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_status,
};

const struct command overlay_rollback_command = {
    .name = "overlay rollback",
    .operands = "HUB",
    .summary = "let a hub's overlay be what it was before",
    .help = "The overlay becomes what it was before the one in force, with a new generation; there "
            "may\n"
            "have been none. Done twice, it comes back.",
    .example = "pathway overlay rollback 07",
    .no = "there is nothing to go back to",
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_rollback,
};
