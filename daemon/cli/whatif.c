/* whatif.c - `pathway whatif`: what other rules or parameters would decide differently. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/layout.h"
#include "cli/options.h"
#include "cli/place.h"
#include "lua/folder.h"

#define SETS_MAX 64

static const struct option_spec OPTIONS[] = {
    { "rules", "DIR", "other rules: a rules folder, or one pack's own folder" },
    { "set", "PARAM=VALUE",
      "a parameter with another value, in every hub and at every date; may be\n"
      "                     given several times" },
    { "hub", "CODE", "only what belongs to this hub" },
    OPTION_AT,
    OPTION_KNOWN,
    { "format", "FORMAT", "csv or ndjson: rows for programs, instead of text for people" },
    OPTION_END,
};

/* ---- what is supposed ---- */

/* PARAM=VALUE, as a member of an object. The daemon knows what the parameter holds. */
static enum err_code write_set(struct buf *out, const char *set, const char *comma, struct err *err)
{
    const char *equals = strchr(set, '=');

    if (!equals || equals == set || !equals[1])
        return err_set(err, ERR_INPUT, "--set %.80s: expected PARAM=VALUE, as leads_needed=3", set);
    buf_str(out, comma);
    json_write_string(out, set, (size_t)(equals - set));
    buf_char(out, ':');
    json_write_cstr(out, equals + 1);
    return OK;
}

static enum err_code write_sets(struct buf *out, const struct args *args, struct err *err)
{
    const char *sets[SETS_MAX];
    int count = args_texts(sets, SETS_MAX, args, "set");
    enum err_code rc = OK;

    if (count == 0 && args->operand_count > 0 && !strchr(args->operands[0], '='))
        return err_set(err, ERR_INPUT, "whatif does not know what to do with '%.80s'; is it --set?",
                       args->operands[0]);
    for (int i = 0; i < args->operand_count && count < SETS_MAX; i++)
        sets[count++] = args->operands[i];
    if (count == 0)
        return OK;
    buf_str(out, ",\"set\":{");
    for (int i = 0; i < count && rc == OK; i++)
        rc = write_set(out, sets[i], i ? "," : "", err);
    buf_char(out, '}');
    return rc;
}

/* Is it a folder of packs, or a pack's own? */
static bool has_packs(const char *dir)
{
    struct buf path = { 0 };

    buf_printf(&path, "%s/national", dir);
    bool has = access(buf_cstr(&path), F_OK) == 0;
    buf_fini(&path);
    return has;
}

/* The national pack's own folder may have any name. */
static void write_path(struct buf *out, const char *path)
{
    struct buf b = { 0 };
    const char *slash = strrchr(path, '/');
    size_t len;

    if (!folder_hub_of(path, &len) && slash)
        buf_printf(&b, "national/%s", slash + 1);
    else
        buf_str(&b, path);
    json_write_cstr(out, buf_cstr(&b));
    buf_fini(&b);
}

static enum err_code write_files(struct buf *out, const char *dir, struct err *err)
{
    struct arena arena = { 0 };
    struct rule_files files;
    size_t len;
    const char *comma = "";

    if (folder_read(&files, &arena, dir, rules_folder(NULL), err) != OK) {
        arena_fini(&arena);
        return err->code = ERR_IO; /* no such folder */
    }
    buf_printf(out, ",\"keep\":%s,\"files\":[", has_packs(dir) ? "false" : "true");
    for (int i = 0; i < files.count; i++) {
        const struct ruleset_file *f = &files.files[i];
        if (files.is_one_overlay && !folder_hub_of(f->path, &len))
            continue; /* found elsewhere, to check it with */
        buf_printf(out, "%s{\"path\":", comma);
        write_path(out, f->path);
        buf_str(out, ",\"text\":");
        json_write_string(out, f->text, f->len);
        buf_char(out, '}');
        comma = ",";
    }
    buf_char(out, ']');
    arena_fini(&arena);
    return OK;
}

static void write_text(struct buf *out, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(out, ",\"%s\":", name);
    json_write_cstr(out, value);
}

static enum err_code write_params(struct buf *out, const struct args *args, struct err *err)
{
    const char *rules = args_text(args, "rules");
    struct buf members = { 0 };

    enum err_code rc = write_sets(&members, args, err);
    if (rc == OK && rules)
        rc = write_files(&members, rules, err);
    if (rc == OK && members.len == 0)
        rc = err_set(err, ERR_INPUT,
                     "whatif needs --rules DIR or --set PARAM=VALUE (see: pathway whatif --help)");
    write_text(&members, "hub", args_text(args, "hub"));
    write_text(&members, "at", args_text(args, "at"));
    write_text(&members, "known", args_text(args, "known"));
    buf_printf(out, "{%s}", members.len ? buf_cstr(&members) + 1 : "");
    buf_fini(&members);
    return rc;
}

/* ---- the answer ---- */

static enum err_code print_people(bool *differs, const struct buf *answer, const struct args *args,
                                  bool as_it_is, struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;

    enum err_code rc = asked_parse(&tree, &arena, answer, err);
    if (rc == OK) {
        const struct json *d = json_get(tree, "differs");
        *differs = d && d->type == JSON_BOOL && d->as.boolean;
        if (as_it_is)
            rc = layout_raw(stdout, answer);
        else
            layout_whatif(stdout, tree, args_text(args, "rules"));
    }
    arena_fini(&arena);
    return rc;
}

static enum err_code print_answer(bool *differs, const struct buf *answer, const struct args *args,
                                  const char *format, struct err *err)
{
    if (!format || !strcmp(format, "json"))
        return print_people(differs, answer, args, format != NULL, err);
    const char *first = strchr(buf_cstr(answer), '\n');
    *differs = first && (!strcmp(format, "ndjson") || first[1]);
    if (answer->len > 0)
        fwrite(answer->data, 1, answer->len, stdout);
    return OK;
}

static enum err_code ask(struct buf *answer, const struct args *args, const char *format,
                         const struct buf *params, struct err *err)
{
    struct place *place = NULL;
    struct progress bar;

    progress_init(&bar, 0);
    enum err_code rc = place_open(&place, args, err);
    if (rc == OK) {
        place_use_rules_in_force(place);
        place_on_progress(place, asked_progress, &bar);
        rc = place_ask_json(answer, place, "whatif", format, params, err);
    }
    progress_clear(&bar);
    place_close(place);
    return rc;
}

static enum cli_exit run(const struct args *args)
{
    const char *format = NULL;
    struct buf answer = { 0 }, params = { 0 };
    bool differs = false;
    struct err err;

    enum err_code rc = asked_format(&format, args, &err);
    if (rc == OK)
        rc = write_params(&params, args, &err);
    if (rc == OK)
        rc = ask(&answer, args, format ? format : "json", &params, &err);
    if (rc == OK)
        rc = print_answer(&differs, &answer, args, format, &err);
    buf_fini(&answer);
    buf_fini(&params);
    if (rc != OK)
        return cli_fail_asking(&err);
    return differs ? CLI_NO : CLI_DONE;
}

const struct command whatif_command = {
    .name = "whatif",
    .operands = "[PARAM=VALUE...]",
    .summary = "what other rules or parameters would decide differently",
    .help =
        "Judges everybody once more, by other rules (--rules) or with other values of parameters\n"
        "(--set), and compares that with the rules in force: how many would stand otherwise now,\n"
        "and at the end of each past academic year, by decision; then each school, with the\n"
        "criterion that makes the difference. Nothing is changed. The other rules are folded over\n"
        "all of history, as if they had always been in force. Of a folder that is one pack's own,\n"
        "the other packs stay as they are. Rows with --format csv are subject,decision,old,new,\n"
        "for the moment asked about alone.",
    .example = "pathway whatif --set meetings_needed=6 --set visits_needed=2",
    .no = "something would be decided differently",
    .options = OPTIONS,
    .min_operands = 0,
    .max_operands = ANY_NUMBER,
    .asks = true,
    .run = run,
};
