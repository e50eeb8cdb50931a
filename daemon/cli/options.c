/* options.c - see options.h. getopt_long does the reading; it keeps its place in globals of its
 * own. */
#include "cli/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/text.h"

#define FIRST_CODE 256 /* what getopt returns for specs[0]; above every character */

static const struct option_spec COMMON[] = {
    { "help", NULL, "print this" },
    { "json", NULL, "print JSON, for programs" },
    OPTION_END,
};
static const struct option_spec ASKING[] = {
    { "url", "URL",
      "the daemon: http(s)://HOST:PORT or unix:PATH (else $PATHWAY_URL, else\n"
      "                     unix:/run/pathwayd/pathway.sock)" },
    { "token-file", "FILE", "the access token for it (else $PATHWAY_TOKEN, else none)" },
    { "ca", "FILE",
      "over https, the certificates to trust (else $PATHWAY_CA, else the\n"
      "                     system's)" },
    { "database", "FILE", "straight to this database, with no daemon" },
    { "rules", "DIR",
      "with --database: the rules (else this source tree's, else\n"
      "                     /etc/pathwayd/rules). With --known: `current` has today's rules\n"
      "                     answer, not those in force then" },
    OPTION_END,
};

static bool has_spec(const struct args *args, const char *name)
{
    for (int i = 0; i < args->count; i++)
        if (strcmp(args->specs[i]->name, name) == 0)
            return true;
    return false;
}

static void add_specs(struct args *args, const struct option_spec *table)
{
    for (; table && table->name; table++) {
        if (has_spec(args, table->name))
            continue;
        assert(args->count < ARGS_OPTIONS_MAX);
        args->specs[args->count++] = table;
    }
}

/* A command's own options come first, so that it may say more exactly what a common one does. */
static void collect_specs(struct args *args, const struct command *command)
{
    memset(args, 0, sizeof(*args));
    args->command = command;
    add_specs(args, command->options);
    if (command->asks)
        add_specs(args, ASKING);
    add_specs(args, COMMON);
}

static enum err_code unknown_option(const struct args *args, const char *given, struct err *err)
{
    const char *names[ARGS_OPTIONS_MAX];
    char name[64];
    const char *bare = given + strspn(given, "-");

    for (int i = 0; i < args->count; i++)
        names[i] = args->specs[i]->name;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(bare, "="), bare);
    const char *near = text_nearest(name, names, (size_t)args->count);
    return err_set(err, ERR_INPUT, "%s has no option '%.80s'%s%s%s (see: pathway %s --help)",
                   args->command->name, given, near ? "; did you mean --" : "", near ? near : "",
                   near ? "?" : "", args->command->name);
}

static enum err_code check_operands(const struct args *args, struct err *err)
{
    const struct command *c = args->command;

    if (args->operand_count < c->min_operands)
        return err_set(err, ERR_INPUT, "%s needs %s (see: pathway %s --help)", c->name, c->operands,
                       c->name);
    if (c->max_operands != ANY_NUMBER && args->operand_count > c->max_operands)
        return err_set(err, ERR_INPUT,
                       "%s does not know what to do with '%.80s' (see: pathway %s --help)", c->name,
                       args->operands[c->max_operands], c->name);
    return OK;
}

static void take_value(struct args *out, int spec, const char *value)
{
    if (out->values[spec] && out->repeat_count < ARGS_REPEATS_MAX)
        out->repeats[out->repeat_count++] = (struct args_repeat){ spec, out->values[spec] };
    out->values[spec] = value;
}

enum err_code args_parse(struct args *out, const struct command *command, int argc, char **argv,
                         struct err *err)
{
    struct option table[ARGS_OPTIONS_MAX + 1] = { 0 };
    int code;

    collect_specs(out, command);
    for (int i = 0; i < out->count; i++)
        table[i] =
            (struct option){ .name = out->specs[i]->name,
                             .has_arg = out->specs[i]->value ? required_argument : no_argument,
                             .val = FIRST_CODE + i };
    optind = 0; /* GNU: start afresh */
    opterr = 0;
    while ((code = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
        if (code == 'h')
            out->wants_help = true;
        else if (code == ':')
            return err_set(err, ERR_INPUT, "option '%s' needs a value (see: pathway %s --help)",
                           argv[optind - 1], command->name);
        else if (code < FIRST_CODE)
            return unknown_option(out, argv[optind - 1], err);
        else
            take_value(out, code - FIRST_CODE, optarg ? optarg : "");
    }
    out->operands = argv + optind;
    out->operand_count = argc - optind;
    if (args_flag(out, "help"))
        out->wants_help = true;
    return out->wants_help ? OK : check_operands(out, err);
}

const char *args_text(const struct args *args, const char *name)
{
    int i = 0;

    while (i < args->count && strcmp(args->specs[i]->name, name) != 0)
        i++;
    assert(i < args->count); /* the command's table has it */
    return i < args->count ? args->values[i] : NULL;
}

int args_texts(const char **out, int max, const struct args *args, const char *name)
{
    const char *last = args_text(args, name);
    int count = 0;

    for (int i = 0; i < args->repeat_count; i++)
        if (strcmp(args->specs[args->repeats[i].spec]->name, name) == 0 && count < max)
            out[count++] = args->repeats[i].value;
    if (last && count < max)
        out[count++] = last;
    return count;
}

bool args_flag(const struct args *args, const char *name)
{
    return args_text(args, name) != NULL;
}

enum err_code args_number(int64_t *out, const struct args *args, const char *name, int64_t min,
                          int64_t max, int64_t otherwise, struct err *err)
{
    const char *text = args_text(args, name);
    char *end = NULL;

    *out = otherwise;
    if (!text)
        return OK;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno || end == text || *end || n < min || n > max)
        return err_set(err, ERR_INPUT, "--%s is '%.80s': expected a whole number from %lld to %lld",
                       name, text, (long long)min, (long long)max);
    *out = n;
    return OK;
}

enum err_code args_moment(int64_t *out, const struct args *args, const char *name,
                          int64_t otherwise, struct err *err)
{
    const char *text = args_text(args, name);

    *out = otherwise;
    if (!text)
        return OK;
    enum err_code rc = civil_init(err);
    if (rc != OK)
        return rc;
    rc = moment_parse(out, text, err);
    return rc == OK ? OK : err_at(err, "--%s", name);
}

enum err_code args_check_moments(const struct args *args, struct err *err)
{
    enum err_code rc = OK;
    int64_t ignored;

    for (int i = 0; i < args->count && rc == OK; i++)
        if (args->specs[i]->value && !strcmp(args->specs[i]->value, "TIME"))
            rc = args_moment(&ignored, args, args->specs[i]->name, 0, err);
    return rc;
}

enum err_code args_format(const char **out, const struct args *args, struct err *err)
{
    const char *format = args_text(args, "format");

    *out = args_flag(args, "json") ? "ndjson" : "csv";
    if (!format)
        return OK;
    if (strcmp(format, "csv") && strcmp(format, "ndjson"))
        return err_set(err, ERR_INPUT, "--format is '%.80s': expected csv or ndjson", format);
    *out = format;
    return OK;
}

void args_print_help(FILE *to, const struct command *command)
{
    struct args args;
    bool has_time = false;

    collect_specs(&args, command);
    fprintf(to, "Usage: pathway %s [OPTIONS]%s%s\n\n%s\n\nOptions:\n", command->name,
            command->operands[0] ? " " : "", command->operands, command->help);
    for (int i = 0; i < args.count; i++) {
        const struct option_spec *spec = args.specs[i];
        char left[64];
        snprintf(left, sizeof(left), "--%s%s%s", spec->name, spec->value ? " " : "",
                 spec->value ? spec->value : "");
        fprintf(to, "  %-18s %s\n", left, spec->help);
        has_time = has_time || (spec->value && !strcmp(spec->value, "TIME"));
    }
    if (has_time)
        fprintf(to,
                "\nTIME is RFC 3339, like 2026-11-21T09:30:00Z, or a date: a date without a time\n"
                "means the start of that day, Europe/London.\n");
    fprintf(to, "\nExample:\n  %s\n\nExit code: 0 done", command->example);
    if (command->no)
        fprintf(to, "; 1 %s", command->no);
    fprintf(to, "; 2 wrong use; 3 could not.\n");
}
