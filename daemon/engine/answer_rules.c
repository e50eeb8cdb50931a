/* answer_rules.c - "rules": by what is decided. */
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/coverage.h"
#include "engine/packtest.h"
#include "engine/reader.h"
#include "lua/inventory.h"
#include "store/derived.h"
#include "store/generation.h"

static void ignore(const char *name, const char *where, const char *detail, void *arg)
{
    (void)name;
    (void)where;
    (void)detail;
    (void)arg;
}

void reader_drop_tests(struct reader *r)
{
    if (r->tests)
        coverage_fini(r->tests);
    free(r->tests);
    r->tests = NULL;
}

/* The packs' own tests, run when somebody asks first. */
static enum err_code run_tests(struct reader *r, struct err *err)
{
    struct packtest_counts counts;

    if (r->tests)
        return OK;
    r->tests = calloc(1, sizeof(*r->tests));
    if (!r->tests)
        return err_set(err, ERR_LIMIT, "no memory for the tests of the rules");
    enum err_code rc = coverage_init(r->tests, r->today, err);
    if (rc == OK)
        rc = packtest_cover(&counts, r->today, -1, r->tests, ignore, NULL, err);
    if (rc != OK)
        reader_drop_tests(r);
    return rc;
}

/* Those of the national pack, and of the hub's overlay where it has one. */
static void choose(const struct tallies *out[2], const struct coverage *tests,
                   const struct ruleset *rs)
{
    out[0] = &tests->of[0];
    out[1] = NULL;
    for (int i = 1; i < tests->count; i++)
        if (tests->of[i].rules == rs)
            out[1] = &tests->of[i];
}

static enum err_code write_all(struct buf *out, struct ruleset *rs,
                               const struct tallies *const tests[2], struct err *err)
{
    enum err_code rc = OK;
    const char *name;

    buf_str(out, ",\"items\":[");
    for (int i = 0; rc == OK && (name = ruleset_rule_name(rs, i)); i++) {
        buf_str(out, i ? "," : "");
        rc = ruleset_describe(out, rs, name, tests, err);
    }
    buf_str(out, "],\"parameters\":");
    ruleset_describe_params(out, rs);
    return rc;
}

enum err_code answer_rules(struct buf *out, struct reader *r, const struct json *params,
                           struct err *err)
{
    static const char *const KNOWN[] = { "name", "hub", NULL };
    const struct tallies *chosen[2] = { NULL, NULL };
    const char *name, *hub;
    struct generation g;
    int64_t seq = 0;

    if (params_check(params, KNOWN, err) != OK || params_text(&name, params, "name", err) != OK ||
        params_text(&hub, params, "hub", err) != OK || rules_of_today(r, err) != OK ||
        reader_need_rules(r, err) != OK || generation_last(&g, r->store, err) != OK ||
        feed_last_seq(&seq, r->store, err) != OK)
        return err->code;
    struct ruleset *rs = rulebook_of_hub(r->rules, hub);
    buf_printf(out, "{\"seq\":%lld,\"generation\":%lld,\"digest\":", (long long)seq,
               (long long)g.number);
    json_write_cstr(out, g.digest);
    buf_str(out, ",\"since\":");
    write_moment(out, g.number ? g.since : TIME_NEVER);
    buf_str(out, ",\"hub\":");
    json_write_cstr(out, hub);
    enum err_code rc = run_tests(r, err);
    if (rc == OK)
        choose(chosen, r->tests, rs);
    if (rc == OK && name) {
        buf_str(out, ",\"rule\":");
        rc = ruleset_describe(out, rs, name, chosen, err);
    } else if (rc == OK) {
        rc = write_all(out, rs, chosen, err);
    }
    buf_char(out, '}');
    return rc;
}
