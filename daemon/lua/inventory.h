/*
 * inventory.h - what a ruleset says of its rules: for those who ask by what is decided.
 */
#ifndef PATHWAY_LUA_INVENTORY_H
#define PATHWAY_LUA_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "lua/ruleset.h"
#include "lua/tally.h"

/* The names of all rules, criteria included, by name. NULL: there are no more. */
const char *ruleset_rule_name(const struct ruleset *rs, int index);

/*
 * Append what a rule says of itself as a JSON object: its title, source, advice, what it is about,
 * how it comes to its value, its criteria, the parameters that it reads with their values, and how
 * often it came out in which way in `tests`: the national pack's, and those of an overlay or NULL.
 * ERR_ABSENT: there is no such rule, with the nearest.
 */
MUST_CHECK enum err_code ruleset_describe(struct buf *out, struct ruleset *rs, const char *name,
                                          const struct tallies *const tests[2], struct err *err);

/* All parameters with their values and from when each holds: {"NAME":[{"from":..,"value":..}]}. */
void ruleset_describe_params(struct buf *out, struct ruleset *rs);

/* What is known of a decision's values from how it is made. */
enum value_kind { VALUES_OPEN, VALUES_BOOL, VALUES_ENUM, VALUES_INT };
struct value_range {
    enum value_kind kind;
    const char *const *values; /* VALUES_ENUM */
    size_t count;
};
void ruleset_values(struct value_range *out, const struct ruleset *rs, const char *decision);

#endif
