/* in_force.c - by which rules a question is answered. See reader.h.
 *
 * What was known at a moment was judged by the rules in force then: so is the answer, from the
 * database's archive.
 */
#include <string.h>

#include "engine/engine_internal.h"
#include "engine/reader.h"
#include "store/generation.h"

/* Today's rules, when they are the same as those of the generation: then nothing has to be
 * loaded. */
static bool are_today(const struct reader *r, const struct generation *g)
{
    return r->today && strcmp(rulebook_digest(r->today), g->digest) == 0;
}

static enum err_code load_past(struct reader *r, int64_t number, struct err *err)
{
    struct rulebook *past;

    if (r->past && r->past_number == number)
        return OK;
    enum err_code rc = rulebook_to_ask(&past, r->store, number, err);
    if (rc != OK)
        return err_at(err, "generation %lld of the rules", (long long)number);
    rulebook_free(r->past);
    r->past = past;
    r->past_number = number;
    return OK;
}

enum err_code rules_known_at(struct reader *r, int64_t known, struct err *err)
{
    struct generation g;

    enum err_code rc = generation_at(&g, r->store, known, err);
    if (rc != OK)
        return rc;
    if (g.number == 0) /* nothing had been judged by then: there is nothing to answer differently */
        return rules_of_today(r, err);
    r->generation = g.number;
    r->rules = r->today;
    if (!are_today(r, &g)) {
        rc = load_past(r, g.number, err);
        r->rules = r->past;
    }
    return rc;
}

enum err_code rules_of_today(struct reader *r, struct err *err)
{
    struct generation last;

    enum err_code rc = generation_last(&last, r->store, err);
    r->rules = r->today;
    r->generation = rc == OK && are_today(r, &last) ? last.number : 0;
    return rc;
}

enum err_code rulebook_known_at(struct rulebook **out, struct rulebook **owned, struct reader *r,
                                int64_t known, struct err *err)
{
    struct generation g;

    *owned = NULL;
    enum err_code rc = generation_at(&g, r->store, known, err);
    if (rc != OK)
        return rc;
    if (g.number == 0 || are_today(r, &g)) {
        rc = rules_of_today(r, err);
        *out = r->today;
        r->generation = g.number;
        return rc == OK ? reader_need_rules(r, err) : rc;
    }
    r->generation = g.number;
    rc = rulebook_to_ask(owned, r->store, g.number, err);
    *out = *owned;
    return rc == OK ? OK : err_at(err, "generation %lld of the rules", (long long)g.number);
}
