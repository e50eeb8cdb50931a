/* new_overlay.c - `pathway new overlay`: a hub's first overlay, which works as it is. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/template.h"
#include "model/subject.h"

static const struct option_spec OPTIONS[] = {
    { "in", "DIR", "make its folder in DIR (else here)" },
    OPTION_END,
};

/* With what the names begin that a hub adds: a word of Lua can not begin with a digit. */
static void write_prefix(struct buf *out, const char *hub)
{
    if (isdigit((unsigned char)hub[0]))
        buf_char(out, 'h');
    for (; *hub; hub++)
        buf_char(out, isalnum((unsigned char)*hub) ? *hub : '_');
}

static void fill(struct buf *out, const char *text, const char *hub)
{
    for (const char *at; (at = strchr(text, '@')); text = at + 1) {
        buf_add(out, text, (size_t)(at - text));
        if (strncmp(at, "@HUB@", 5) == 0)
            buf_str(out, hub);
        else if (strncmp(at, "@P@", 3) == 0)
            write_prefix(out, hub);
        else {
            buf_char(out, '@');
            continue;
        }
        at = strchr(at + 1, '@');
    }
    buf_str(out, text);
}

static enum err_code write_file(const char *folder, const struct template_file *file,
                                const char *hub, struct err *err)
{
    struct buf path = { 0 }, text = { 0 };
    enum err_code rc = OK;

    buf_printf(&path, "%s/%s", folder, file->name);
    fill(&text, file->text, hub);
    FILE *f = path.failed || text.failed ? NULL : fopen(buf_cstr(&path), "wbx");
    if (!f)
        rc = err_set(err, ERR_IO, "%s: %s", buf_cstr(&path), strerror(errno));
    else if (fwrite(text.data, 1, text.len, f) != text.len || fflush(f) != 0)
        rc = err_set(err, ERR_IO, "%s: can not be written", buf_cstr(&path));
    if (f)
        fclose(f);
    buf_fini(&path);
    buf_fini(&text);
    return rc;
}

static enum err_code check_hub(const char *hub, struct err *err)
{
    if (subject_code_is_valid(SUBJECT_HUB, hub, strlen(hub)) && hub[0] != '.')
        return OK;
    return err_set(err, ERR_INPUT,
                   "'%.80s' is no hub's code; expected 1 to 64 of A-Z a-z 0-9 . _ -, such as 07",
                   hub);
}

static enum err_code make_folder(const char *folder, struct err *err)
{
    if (mkdir(folder, 0777) == 0)
        return OK;
    if (errno == EEXIST)
        return err_set(err, ERR_CONFLICT, "%s is there already, and stays as it is", folder);
    return err_set(err, ERR_IO, "%s: %s", folder, strerror(errno));
}

static enum cli_exit run(const struct args *args)
{
    const char *hub = args->operands[0], *in = args_text(args, "in");
    struct buf folder = { 0 };
    struct err err;

    if (in)
        buf_printf(&folder, "%s/", in);
    buf_str(&folder, hub);
    enum err_code rc = check_hub(hub, &err);
    if (rc == OK && folder.failed)
        rc = err_set(&err, ERR_LIMIT, "no memory for a path");
    if (rc == OK)
        rc = make_folder(buf_cstr(&folder), &err);
    for (const struct template_file *f = overlay_template; rc == OK && f->name; f++)
        rc = write_file(buf_cstr(&folder), f, hub, &err);
    if (rc == OK && args_flag(args, "json"))
        printf("{\"hub\":\"%s\",\"folder\":\"%s\"}\n", hub, buf_cstr(&folder));
    else if (rc == OK)
        printf("%s: a working overlay to begin with\n\n  pathway check %s\n  pathway test %s\n",
               buf_cstr(&folder), buf_cstr(&folder), buf_cstr(&folder));
    buf_fini(&folder);
    return rc == OK ? CLI_DONE : cli_fail(&err);
}

const struct command new_overlay_command = {
    .name = "new overlay",
    .operands = "HUB",
    .summary = "a hub's first overlay: an example rule with tests, to be changed",
    .help =
        "Makes a folder named by the hub's code, with an overlay that works as it is: an event,\n"
        "a fact, a parameter, a rule and an alert of the hub's own, each explained, and tests.\n"
        "What is there already is left alone.",
    .example = "pathway new overlay 07",
    .no = "the folder is there already",
    .options = OPTIONS,
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
