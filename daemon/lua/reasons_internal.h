/*
 * reasons_internal.h - an explanation while it is being told.
 */
#ifndef PATHWAY_LUA_REASONS_INTERNAL_H
#define PATHWAY_LUA_REASONS_INTERNAL_H

#include "lua/trace_internal.h"

struct telling {
    struct trace *t;
    struct record *r;
    struct ruleset *rs;
    struct buf *out;
    uint16_t root;
    int64_t now;
    bool has_failed;
    struct err why;
    uint16_t order[RULES_MAX]; /* rules in the order in which they are told */
    uint16_t count;
    bool is_told[RULES_MAX];
    struct missing_list missing;
};

/* reasons_reads.c */
void name_member(struct buf *out, const char *name);
void write_time(struct buf *out, int64_t t);
/* Members of a rule's object: "facts", each with its events; "parameters"; "moments". */
void write_facts(struct telling *x, const struct notes *n);
void write_params(lua_State *L, struct telling *x, const struct notes *n);
void write_moments(struct telling *x, const struct notes *n);

#endif
