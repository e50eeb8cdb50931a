/*
 * packtests.h - the tests that a pack brings, as plain values.
 *
 *   { "one lead is not enough", given = { { "lead.named", "2025-10-01", teacher = "t1" } },
 *     at = "2025-11-01", expect = { two_leads = false }, missing = { "two_leads" } }
 *
 * An entry of `given` is a type, a time (if left out: that of the entry before; the first a day
 * before `at`) and the fields of its data; `as` names another subject than the usual one
 * (school/100001 or group/test). Events have the source urn:test and the ids "1", "2" ... in the
 * order of the list.
 */
#ifndef PATHWAY_LUA_PACKTESTS_H
#define PATHWAY_LUA_PACKTESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lua/ruleset.h"

#define PACK_TEST_SOURCE "urn:test" /* of every given event: what a test of event.voided names */

struct pack_test_expect {
    const char *decision;
    const char *value; /* JSON scalar text */
};
struct pack_test {
    const char *name;
    const char *where;   /* "national/tests.lua:12" */
    const char *subject; /* judged: "school/100001" unless the test says otherwise */
    int64_t at;
    const char *const *events; /* CloudEvents, JSON */
    int event_count;
    const struct pack_test_expect *expects;
    int expect_count;
    const char
        *missing; /* names of unmet basic criteria, sorted, separated by spaces; NULL: not tested */
};

/* Return OK to go on. */
typedef enum err_code pack_test_fn(const struct pack_test *test, void *arg, struct err *err);
/* `malformed` is told of tests that can not be read ("test 3: ..."). */
typedef void pack_test_malformed_fn(const char *name, const char *where, const char *why,
                                    void *arg);
MUST_CHECK enum err_code ruleset_each_test(struct ruleset *rs, pack_test_fn *fn,
                                           pack_test_malformed_fn *malformed, void *arg,
                                           struct err *err);

#endif
