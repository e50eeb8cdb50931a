/*
 * waiting.h - subjects that lists show as they were: those that are held back, since their hub's
 * rules take long.
 *
 * They stay due in the tables until their turn comes (debts.h). If all lists were folded from the
 * log meanwhile, one hub's rules would slow what all others ask.
 */
#ifndef PATHWAY_WAITING_H
#define PATHWAY_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strmap.h"
#include "model/subject.h"

struct reader;

/* Find all that are due at `now`, as the tables say, into `out`, an empty map whose names are of
 * the reader's arena. *only: all of them are held back; else something else is due, and nobody can
 * say what it is. */
MUST_CHECK enum err_code waiting_find(bool *only, struct strmap *out, struct reader *r, int64_t now,
                                      struct err *err);
/* How many of them are of a kind: "school". */
size_t waiting_count(const struct strmap *waiting, const char *kind);

#endif
