/* commands.c - see command.h. Finds the command that is meant, and turns errors into exit codes. */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/options.h"

#define COMMANDS_MAX 64

const struct command *const commands[] = {
    &check_command,
    &test_command,
    &judge_command,
    &send_command,
    &import_schools_command,
    &import_events_command,
    &import_links_command,
    &show_command,
    &explain_command,
    &history_command,
    &restated_command,
    &forecast_command,
    &whatif_command,
    &advise_command,
    &export_command,
    &changes_command,
    &person_set_command,
    &person_show_command,
    &person_erase_command,
    &quarantine_list_command,
    &quarantine_retry_command,
    &quarantine_discard_command,
    &backup_command,
    &restore_command,
    &verify_command,
    &replay_command,
    &status_command,
    &token_add_command,
    &token_list_command,
    &token_revoke_command,
    &new_overlay_command,
    &types_command,
    &doc_command,
    &webhook_list_command,
    &webhook_add_command,
    &webhook_test_command,
    &webhook_pause_command,
    &webhook_resume_command,
    &webhook_replay_command,
    &webhook_rotate_command,
    &webhook_remove_command,
    &reload_command,
    &overlay_push_command,
    &overlay_status_command,
    &overlay_rollback_command,
    NULL,
};

static void print_overview(FILE *to)
{
    fprintf(to,
            "pathway - ask and feed pathwayd, which keeps schools' records on the primary mastery "
            "pathway.\n\nUsage: pathway COMMAND [OPTIONS] ...\n\nCommands:\n");
    for (const struct command *const *c = commands; *c; c++)
        fprintf(to, "  %-16s %s\n", (*c)->name, (*c)->summary);
    fprintf(to, "\n`pathway COMMAND --help` says more, with an example; `pathway --version` which "
                "this is.\n"
                "Exit codes: 0 done, 1 said no, 2 wrong use, 3 could not.\n");
}

/* True when `name` is `word`, or begins with `word` and a space (*more). */
static bool name_starts(const char *name, const char *word, bool *more)
{
    size_t n = strlen(word);

    *more = !strncmp(name, word, n) && name[n] == ' ';
    return *more || !strcmp(name, word);
}

/* The command meant by the first words of argv; *words says how many they were. */
static const struct command *find_command(int argc, char **argv, int *words)
{
    for (const struct command *const *c = commands; *c; c++) {
        bool more;
        if (!name_starts((*c)->name, argv[1], &more))
            continue;
        *words = more ? 2 : 1;
        if (!more || (argc > 2 && !strcmp((*c)->name + strlen(argv[1]) + 1, argv[2])))
            return *c;
    }
    return NULL;
}

/* A first word that stands before others, as "person": list what may follow. */
static bool print_family(FILE *to, const char *word)
{
    bool found = false, more;

    for (const struct command *const *c = commands; *c; c++) {
        if (!name_starts((*c)->name, word, &more) || !more)
            continue;
        if (!found)
            fprintf(to, "Usage: pathway %s COMMAND ...\n\n", word);
        fprintf(to, "  pathway %-16s %s\n", (*c)->name, (*c)->summary);
        found = true;
    }
    return found;
}

static enum cli_exit unknown_command(int argc, char **argv)
{
    const char *names[COMMANDS_MAX];
    char given[128], hint[128];
    size_t count = 0;
    bool is_family = print_family(stderr, argv[1]);

    for (const struct command *const *c = commands; *c && count < COMMANDS_MAX; c++)
        names[count++] = (*c)->name;
    if (is_family && argc < 3)
        return CLI_USAGE;
    snprintf(given, sizeof(given), "%.60s%s%.60s", argv[1], is_family ? " " : "",
             is_family ? argv[2] : "");
    fprintf(stderr, "pathway: there is no command '%s'%s (see: pathway --help)\n", given,
            text_hint(hint, sizeof(hint), given, names, count));
    return CLI_USAGE;
}

enum cli_exit cli_fail(const struct err *err)
{
    fprintf(stderr, "pathway: %s\n", err->msg);
    switch (err->code) {
    case OK:
    case ERR_INPUT:
        return CLI_USAGE;
    case ERR_ABSENT:
    case ERR_CONFLICT:
        return CLI_NO;
    case ERR_LIMIT:
    case ERR_BUSY:
    case ERR_RULE:
    case ERR_STORE:
    case ERR_IO:
        break;
    }
    return CLI_FAILED;
}

enum cli_exit cli_fail_asking(const struct err *err)
{
    struct err told = *err;

    if (told.code == ERR_ABSENT)
        told.code = ERR_INPUT;
    return cli_fail(&told);
}

static enum cli_exit run_command(const struct command *command, int argc, char **argv)
{
    struct args args;
    struct err err;

    if (args_parse(&args, command, argc, argv, &err) != OK)
        return cli_fail(&err);
    if (args.wants_help) {
        args_print_help(stdout, command);
        return CLI_DONE;
    }
    if (args_check_moments(&args, &err) != OK)
        return cli_fail(&err);
    return command->run(&args);
}

static bool is_help(const char *word)
{
    return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
}

static enum cli_exit dispatch(int argc, char **argv)
{
    int words = 0;

    if (argc < 2) {
        print_overview(stderr);
        return CLI_USAGE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("pathway %s\n", PATHWAY_VERSION);
        return CLI_DONE;
    }
    if (is_help(argv[1])) {
        print_overview(stdout);
        return CLI_DONE;
    }
    const struct command *command = find_command(argc, argv, &words);
    if (command)
        return run_command(command, argc - words, argv + words);
    if (argc > 2 && is_help(argv[2]) && print_family(stdout, argv[1]))
        return CLI_DONE;
    return unknown_command(argc, argv);
}

int cli_main(int argc, char **argv)
{
    enum cli_exit code = dispatch(argc, argv);

    /* A full disk behind `pathway export > FILE` must not look like success. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "pathway: cannot write to standard output\n");
        return CLI_FAILED;
    }
    return (int)code;
}
