/*
 * failures.h - which rules, reducers and moves have failed since the engine opened, for status and
 * metrics.
 *
 * The engine thread notes them; any thread may read. Bounded: of more than FAILURES_MAX different
 * ones the rest are counted together, as rule "other".
 */
#ifndef PATHWAY_FAILURES_H
#define PATHWAY_FAILURES_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define FAILURES_MAX 500

struct failures;

MUST_CHECK enum err_code failures_new(struct failures **out, struct err *err);
void failures_free(struct failures *f); /* NULL allowed */

/* A rule ("on EVENT.TYPE" for a reducer, "moves") of this hub (NULL: none) failed for a subject. */
void failures_note(struct failures *f, const char *hub, const char *rule, const char *subject,
                   const char *message);
/* So long the rules took to judge one subject. */
void failures_time(struct failures *f, int64_t took_us);

/* Append Prometheus' text: pathwayd_rule_errors_total{hub,rule} and pathwayd_rule_seconds. */
void failures_write_metrics(struct failures *f, struct buf *out);
/* Other rules are in force: what failed before may not any more. It stays in the metrics. */
void failures_settle(struct failures *f);
/* Append a JSON list of what failed by the rules in force: {"hub", "rule", "count", "subject",
 * "error"}, what failed last of each. */
void failures_write_list(struct failures *f, struct buf *out);

#endif
