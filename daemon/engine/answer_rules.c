/* answer_rules.c - "rules": by what is decided. */
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

/* The packs' own tests, run anew: they take less time than to keep what they said for whoever asks. */
static enum err_code run_tests(struct coverage *tests, struct rulebook *rules, struct err *err)
{
    struct packtest_counts counts;

    enum err_code rc = coverage_init(tests, rules, err);
    return rc == OK ? packtest_cover(&counts, rules, -1, tests, ignore, NULL, err) : rc;
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
    struct coverage tests = { 0 };
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
    enum err_code rc = run_tests(&tests, r->rules, err);
    if (rc == OK)
        choose(chosen, &tests, rs);
    if (rc == OK && name) {
        buf_str(out, ",\"rule\":");
        rc = ruleset_describe(out, rs, name, chosen, err);
    } else if (rc == OK) {
        rc = write_all(out, rs, chosen, err);
    }
    buf_char(out, '}');
    coverage_fini(&tests);
    return rc;
}
