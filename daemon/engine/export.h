/*
 * export.h - decisions of all subjects as rows: subject, decision, value.
 */
#ifndef PATHWAY_EXPORT_H
#define PATHWAY_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "engine/world.h"
#include "lua/rulebook.h"

struct export_options {
    int64_t at;
    const char *const *names; /* only these decisions; NULL: all */
    int name_count;
    bool as_ndjson; /* else CSV with a header line */
};

/* ERR_INPUT: a name that is no decision, with the nearest. */
MUST_CHECK enum err_code export_check_names(struct rulebook *rules,
                                            const struct export_options *options, struct err *err);
void export_header(struct buf *out, const struct export_options *options);
/* One row. `value` is a JSON scalar as text; `is_error`: the decision's rule failed. */
void export_row(struct buf *out, const struct export_options *options, const char *subject,
                const char *decision, const char *value, bool is_error);

/* A field of CSV (RFC 4180), quoted only where that is needed. */
void export_text(struct buf *out, const char *s, size_t len);
/* A value as CSV shows it: null is empty, a rule that failed is `error`. */
void export_value(struct buf *out, const char *value, bool is_error);

struct pieces;
/*
 * All subjects that some event touches at or before `at`, voided or not, folded and judged as of
 * `at`: sorted bytewise by subject, then decision. `w` must hold everything (world_load_all()).
 */
MUST_CHECK enum err_code export_world(struct buf *out, struct world *w, struct rulebook *rules,
                                      const struct export_options *options, struct err *err);
/* The same by writers whose rules may still be being loaded; names have been checked. */
MUST_CHECK enum err_code export_pieces(struct buf *out, struct world *w, struct pieces *pieces,
                                       const struct export_options *options, struct err *err);

#endif
