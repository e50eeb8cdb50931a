/*
 * import_report.h - what became of each row of an imported file.
 */
#ifndef PATHWAY_CLI_IMPORT_REPORT_H
#define PATHWAY_CLI_IMPORT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "cli/deliver.h"
#include "cli/gias.h"

/* Zeroed but for the path is valid. rows = the sum of `made` and `left_out`. */
struct import_report {
    const char *path; /* borrowed */
    int32_t day;      /* of the extract */
    bool is_quiet;    /* do not print each row that is left out */
    int64_t rows;
    int64_t made[3]; /* by enum register_change */
    int64_t left_out[LEFT_OUT_COUNT];
    struct buf json; /* the rows left out, as the items of an array */
    struct tally tally;
};

/* Tell "FILE:LINE: why" on standard error, and count. */
void import_report_left_out(struct import_report *r, int64_t line, enum left_out reason,
                            const char *why);
/* The summary. `is_dry`: nothing was sent. */
void import_report_print(FILE *to, const struct import_report *r, bool as_json, bool is_dry);
void import_report_fini(struct import_report *r);

#endif
