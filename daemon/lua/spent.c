/* spent.c - rules that have used up their budgets for the record and instant under way; see state.h. A rule that reads
 * one of them fails with its message, and does not run it again. */
#include <stdio.h>
#include <string.h>

#include "lua/record_internal.h"
#include "lua/state.h"

/* "hubs/07/rules.lua:3": the folder is the pack. */
static size_t pack_len(const char *where)
{
    const char *slash = strrchr(where, '/');
    return slash ? (size_t)(slash - where) : 0;
}

static bool is_same_pack(const char *a, const char *b)
{
    size_t len = pack_len(a);
    return len == pack_len(b) && memcmp(a, b, len) == 0;
}

static int count_of_pack(const struct ruleset *rs, const char *where)
{
    int count = 0;

    for (int i = 0; i < rs->spent_count; i++)
        count += is_same_pack(rs->rules[rs->spent[i].rule].where, where);
    return count;
}

bool spent_note(struct ruleset *rs, const char *message)
{
    if (rs->running_count == 0 || rs->spent_count == 2 * SPENT_MAX)
        return false;
    struct spent *spent = &rs->spent[rs->spent_count++];
    spent->rule = rs->running[rs->running_count - 1];
    snprintf(spent->message, sizeof(spent->message), "%s", message);
    return count_of_pack(rs, rs->rules[spent->rule].where) == SPENT_MAX;
}

void spent_check(lua_State *L, struct ruleset *rs, uint16_t rule)
{
    const char *where = rs->rules[rule].where;

    for (int i = 0; i < rs->spent_count; i++)
        if (rs->spent[i].rule == rule)
            raise_as_is(L, "%s", rs->spent[i].message);
    if (count_of_pack(rs, where) >= SPENT_MAX)
        raise_as_is(L, "%s: not run: %d rules of this pack were stopped for this %s", where,
                    SPENT_MAX, subject_kind_name(rs->record->kind));
}

const char *ruleset_spent(const struct ruleset *rs)
{
    return rs->spent_count > 0 ? rs->spent[0].message : NULL;
}
