/*
 * command.h - what a command of `pathway` is: a row of the table that --help is made from.
 *
 * One file a command; each defines one `struct command` (or a few that belong together), listed in
 * commands.c. A command prints its answer to standard output, and what people must know beside it
 * to standard error.
 */
#ifndef PATHWAY_CLI_COMMAND_H
#define PATHWAY_CLI_COMMAND_H

#include <stdbool.h>

#include "base/err.h"

enum cli_exit {
    CLI_DONE = 0,
    CLI_NO = 1,     /* it said no: a test failed, an event was refused, there is no such subject */
    CLI_USAGE = 2,  /* wrong use */
    CLI_FAILED = 3, /* could not: no daemon, no file, a broken database */
};

/* One option. A table of them ends with a NULL name. */
struct option_spec {
    const char *name;  /* "at" */
    const char *value; /* "TIME": what follows it; NULL for one that stands alone */
    const char *help;  /* one line */
};

struct args;

#define ANY_NUMBER (-1)
struct command {
    const char *name;                  /* "show", "import schools" */
    const char *operands;              /* "SUBJECT"; "" for none */
    const char *summary;               /* one line for the list of all commands */
    const char *help;                  /* plain words, lines ended by newlines */
    const char *example;               /* a line that runs */
    const char *no;                    /* when it exits with 1; NULL: never */
    const struct option_spec *options; /* its own, NULL for none; the common ones are added */
    int min_operands;
    int max_operands; /* or ANY_NUMBER */
    bool asks;        /* it talks to a daemon or database: --url, --database, --rules */
    enum cli_exit (*run)(const struct args *args);
};

/* All commands, ending with NULL. */
extern const struct command *const commands[];

/* The whole program. */
int cli_main(int argc, char **argv);

/* Print "pathway: SENTENCE" to standard error; the exit code that fits the error. */
enum cli_exit cli_fail(const struct err *err);
/* The same after a question: a name that there is not is a slip, and wrong use. */
enum cli_exit cli_fail_asking(const struct err *err);

#endif
