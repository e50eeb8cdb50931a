/*
 * asked.h - what commands that put a question about a subject or about all have in common.
 */
#ifndef PATHWAY_CLI_ASKED_H
#define PATHWAY_CLI_ASKED_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "model/subject.h"

/* A subject as people write it: a bare number is a school's URN. ERR_INPUT: it is none. */
MUST_CHECK enum err_code asked_subject(char out[SUBJECT_MAX], const char *given, struct err *err);

/* The same; what is no subject may be a school's name, or a part of it that no other school's has.
 * ERR_INPUT: it is neither; of several schools it says which. */
MUST_CHECK enum err_code asked_find_subject(char out[SUBJECT_MAX], struct place *place,
                                            const char *given, struct err *err);

/* "csv" or "ndjson" by --format, "json" by --json; NULL: for people. */
MUST_CHECK enum err_code asked_format(const char **out, const struct args *args, struct err *err);

/* The command can not do without this option. ERR_INPUT: it was not given; `example` is a value for
 * it. */
MUST_CHECK enum err_code asked_needed(const struct args *args, const char *command,
                                      const char *option, const char *example, struct err *err);

/* Append "a,b" as a JSON array of texts. */
void asked_words(struct buf *b, const char *words);

/* A bar on standard error while subjects are gone through; for place_on_progress(). `arg`: a struct
 * progress. */
void asked_progress(int64_t done, int64_t of, void *arg);

/* Parse an answer; the tree is the arena's. Reads the time zone first, for layout_moment(). */
MUST_CHECK enum err_code asked_parse(const struct json **out, struct arena *arena,
                                     const struct buf *answer, struct err *err);

/* Print what a question about the subject of the first operand (the decision of the second, if
 * there is one) is answered: as it is with --json, else by `layout`. */
enum cli_exit asked_about_subject(const struct args *args, const char *question,
                                  void (*layout)(FILE *to, const struct json *answer));

typedef enum err_code asked_print_fn(FILE *to, const struct buf *answer, struct err *err);
/* Print what a question is answered: as it is with --json, else by `print`. */
enum cli_exit asked_print(const struct args *args, const char *question, const struct param *params,
                          asked_print_fn *print);

/* The same, a line for each member. */
enum cli_exit asked_pairs(const struct args *args, const char *question,
                          const struct param *params);

#endif
