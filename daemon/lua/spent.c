/* spent.c - rules that have used up their budgets for the record and instant under way; see
 * state.h. A rule that reads one of them fails with its message, and does not run it again. */
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

/* The criterion of a national rule that an overlay gives is the overlay's. */
static int most_of_pack(const char *where)
{
    return strncmp(where, "hubs/", 5) == 0 ? SPENT_MAX_OWN : SPENT_MAX;
}

bool spent_note(struct ruleset *rs, const char *message)
{
    if (rs->running_count == 0 || rs->spent_count == SPENT_MAX + SPENT_MAX_OWN)
        return false;
    struct spent *spent = &rs->spent[rs->spent_count++];
    spent->rule = rs->running[rs->running_count - 1];
    snprintf(spent->message, sizeof(spent->message), "%s", message);
    const char *where = rs->rules[spent->rule].where;
    return count_of_pack(rs, where) == most_of_pack(where);
}

void spent_check(lua_State *L, struct ruleset *rs, uint16_t rule)
{
    const char *where = rs->rules[rule].where;

    for (int i = 0; i < rs->spent_count; i++)
        if (rs->spent[i].rule == rule)
            raise_as_is(L, "%s", rs->spent[i].message);
    if (count_of_pack(rs, where) >= most_of_pack(where))
        raise_as_is(L, "%s: not run: %d rules of this pack were stopped for this %s", where,
                    most_of_pack(where), subject_kind_name(rs->record->kind));
}

const char *ruleset_spent(const struct ruleset *rs)
{
    return rs->spent_count > 0 ? rs->spent[0].message : NULL;
}
