/* moment.c - see moment.h. */
#include "host/moment.h"

#include <stdbool.h>

#include "base/civil.h"

#define HOLDS_US (10 * US_PER_S)

static bool holds(const struct moment_state *then, const struct moment_state *now)
{
    return then->commits == now->commits && then->generation == now->generation &&
           now->now >= then->now && now->now - then->now < HOLDS_US;
}

uint64_t moment_mark(struct moment *m, const struct moment_state *state)
{
    if (state->now >= state->next_wake)
        return 0;
    if (m->mark == 0 || !holds(&m->since, state)) {
        m->since = *state;
        m->mark++;
    }
    return m->mark;
}
