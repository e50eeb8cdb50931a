/*
 * asked.h - what commands that put a question about a subject or about all have in common.
 */
#ifndef PATHWAY_CLI_ASKED_H
#define PATHWAY_CLI_ASKED_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "model/subject.h"

/* A subject as people write it: a bare number is a school's URN. ERR_INPUT: it is none. */
MUST_CHECK enum err_code asked_subject(char out[SUBJECT_MAX], const char *given, struct err *err);

/* "csv" or "ndjson" by --format, "json" by --json; NULL: for people. */
MUST_CHECK enum err_code asked_format(const char **out, const struct args *args, struct err *err);

/* A bar on standard error while subjects are gone through; for place_on_progress(). `arg`: a struct progress. */
void asked_progress(int64_t done, int64_t of, void *arg);

/* Parse an answer; the tree is the arena's. Reads the time zone first, for layout_moment(). */
MUST_CHECK enum err_code asked_parse(const struct json **out, struct arena *arena,
                                     const struct buf *answer, struct err *err);

#endif
