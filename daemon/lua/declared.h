/*
 * declared.h - what a ruleset declares, for those who show it: pages, editors, lists.
 *
 * Texts are borrowed from the ruleset. An index goes from 0 as long as the function returns true.
 */
#ifndef PATHWAY_LUA_DECLARED_H
#define PATHWAY_LUA_DECLARED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "lua/ruleset.h"
#include "model/subject.h"
#include "model/type.h"

struct fact_info {
    const char *name;
    const char *where; /* "national/record.lua:12" */
    enum subject_kind of;
    const struct type *type;
};
bool ruleset_fact(struct fact_info *out, const struct ruleset *rs, enum subject_kind kind,
                  int index);
/* Of those that no reducer and no move sets. */
bool ruleset_unset_fact(struct fact_info *out, const struct ruleset *rs, int index);

struct param_info {
    const char *name;
    const char *where;
};
bool ruleset_param(struct param_info *out, const struct ruleset *rs, int index);
/* Append its values as JSON, "2, from 2027-09-01 3". */
void ruleset_write_param(struct buf *out, const struct ruleset *rs, int index);
/* "number", "string" or "boolean". */
const char *ruleset_param_type(const struct ruleset *rs, int index);

/* What is known about a rule. NULL where there is none. */
struct rule_info {
    const char *name;
    const char *where;
    const char *title, *source, *advice;
    enum subject_kind of;
    bool is_decision, is_alert, is_waivable;
    bool is_own;       /* an overlay's */
    bool is_yes_or_no; /* its function gives true, false or nothing, which counts as false */
    const char *form;  /* "all_of", "any_of", "unless", "shown", "function" */
    int need_param;    /* index of the parameter that its value is compared with; -1: none */
};
uint16_t ruleset_rule_count(const struct ruleset *rs);
/* `index` below the count; rules come by name. */
struct rule_info ruleset_rule(const struct ruleset *rs, uint16_t index);
/* What the rule of this name says when it is met; NULL: there is none. */
const char *ruleset_title(const struct ruleset *rs, const char *rule);
/* The rules that it lists; false when there are not so many. */
bool ruleset_criterion(uint16_t *out, const struct ruleset *rs, uint16_t rule, int index);
/* Does its text read this parameter, this fact of its kind, this rule? */
bool ruleset_reads_param(const struct ruleset *rs, uint16_t rule, int param);
bool ruleset_reads_fact(const struct ruleset *rs, uint16_t rule, int fact);
bool ruleset_reads_rule(const struct ruleset *rs, uint16_t rule, uint16_t other);
/* May another rule or a move read it, as far as their text says? True too when one reads names that
 * it makes as it runs. */
bool ruleset_is_read(const struct ruleset *rs, uint16_t index);

/* Has this kind of subject a reducer of its own for that type of event? */
bool ruleset_takes(const struct ruleset *rs, enum subject_kind kind, const char *type);
/* A word that packs may use without declaring it ("rule", "each"), in the order of the words; NULL:
 * no more. */
const char *ruleset_word(const struct ruleset *rs, int index);
/* The folder in which the files of a pack lie: "national" or "hubs/CODE"; NULL when it is not
 * known. */
const char *ruleset_folder(const struct ruleset *rs, bool of_overlay);

#endif
