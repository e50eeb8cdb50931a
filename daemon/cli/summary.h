/*
 * summary.h - what became of events that were delivered, for people and for programs.
 */
#ifndef PATHWAY_CLI_SUMMARY_H
#define PATHWAY_CLI_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/deliver.h"

/* Events that were refused. Zeroed is empty and valid. */
struct refusals {
    bool is_quiet;   /* keep them for the summary in JSON, in place of printing each at once */
    struct buf json; /* the items of an array */
};
/* Print "FILE:LINE: status: detail" to standard error, or keep it. */
void refusals_add(struct refusals *r, const char *file, int64_t line, const char *status,
                  const char *detail);
void refusals_fini(struct refusals *r);

int64_t tally_sum(const struct tally *t);
/* "accepted 3,371  duplicate 67  conflict 0  invalid 2"; with `refusals` as JSON, with them in
 * it. */
void tally_print(FILE *to, const struct tally *t, const struct refusals *refusals);

#define COUNT_TEXT 32
/* 3371 as "3,371". Returns `out`. */
const char *count_text(int64_t n, char out[COUNT_TEXT]);

#endif
