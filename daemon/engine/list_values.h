/*
 * list_values.h - a filter on a value that the decision can not have is a slip, not an empty list.
 */
#ifndef PATHWAY_LIST_VALUES_H
#define PATHWAY_LIST_VALUES_H

#include "base/err.h"
#include "lua/rulebook.h"
#include "store/derived.h"

/* By how the decision is made: true or false, one of a list, a whole number. `given`: as it was
 * written. ERR_INPUT with what it can be, and the nearest. */
MUST_CHECK enum err_code list_value_check(struct rulebook *rules, const struct list_filter *filter,
                                          const char *given, struct err *err);

/* By the values that there are, when nothing was found: ERR_INPUT when the value is of another type
 * than all of those, or very near to one. */
MUST_CHECK enum err_code list_values_check(struct store *s, const struct list_query *query,
                                           struct err *err);

#endif
