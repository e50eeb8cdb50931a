/*
 * options.h - a command's arguments, read by its table, and its --help, printed from it.
 */
#ifndef PATHWAY_CLI_OPTIONS_H
#define PATHWAY_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "cli/command.h"

#define ARGS_OPTIONS_MAX 24

#define ARGS_REPEATS_MAX 32
struct args_repeat {
    int spec;
    const char *value;
};

struct args {
    const struct command *command;
    const struct option_spec *specs[ARGS_OPTIONS_MAX]; /* common ones first */
    const char *values[ARGS_OPTIONS_MAX]; /* NULL: not given; "" for one that stands alone */
    int count;
    struct args_repeat
        repeats[ARGS_REPEATS_MAX]; /* earlier values of options given several times */
    int repeat_count;
    char **operands; /* borrowed from argv, which getopt has put in order */
    int operand_count;
    bool wants_help;
};

/*
 * Read `argv` (argv[0] is skipped). The last of an option given twice counts. ERR_INPUT: an
 * unknown option (with the nearest), a missing value, too few or too many operands; not checked
 * with --help.
 */
MUST_CHECK enum err_code args_parse(struct args *out, const struct command *command, int argc,
                                    char **argv, struct err *err);

/* The value of an option of the table, or NULL. Asking for one that the table lacks is an
 * assertion. */
const char *args_text(const struct args *args, const char *name);
/* All values of an option that may be given several times, in their order; how many. */
int args_texts(const char **out, int max, const struct args *args, const char *name);
bool args_flag(const struct args *args, const char *name);
/* A whole number from `min` to `max`; `otherwise` when not given. */
MUST_CHECK enum err_code args_number(int64_t *out, const struct args *args, const char *name,
                                     int64_t min, int64_t max, int64_t otherwise, struct err *err);
/* A moment; `otherwise` when not given. Reads the time zone first. */
MUST_CHECK enum err_code args_moment(int64_t *out, const struct args *args, const char *name,
                                     int64_t otherwise, struct err *err);
/* Check that each TIME option that was given is one, so that a slip is told before anything is
 * asked. */
MUST_CHECK enum err_code args_check_moments(const struct args *args, struct err *err);
/* "csv" or "ndjson" by --format and --json; "csv" otherwise. */
MUST_CHECK enum err_code args_format(const char **out, const struct args *args, struct err *err);

void args_print_help(FILE *to, const struct command *command);

/* Rows that several tables use. */
#define OPTION_AT                                                                                  \
    {                                                                                              \
        "at", "TIME", "the moment asked about; now when not given"                                 \
    }
#define OPTION_KNOWN                                                                               \
    {                                                                                              \
        "known", "TIME",                                                                           \
            "with what was known at TIME, by the rules in force then; all when not given"          \
    }
#define OPTION_FORMAT                                                                              \
    {                                                                                              \
        "format", "FORMAT", "csv (the default) or ndjson"                                          \
    }
#define OPTION_NAMES                                                                               \
    {                                                                                              \
        "names", "A,B", "only these decisions"                                                     \
    }
#define OPTION_END                                                                                 \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

#endif
