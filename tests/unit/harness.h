/* harness.h - what every unit test needs: cmocka, its includes, a main. */
#ifndef PATHWAY_TEST_HARNESS_H
#define PATHWAY_TEST_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

/* A fresh one for each test program; what a failing call has to say. */
static struct err err;

/* Fails with the message of `err`, not only its code. */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        err.msg[0] = '\0';                                                                         \
        if ((call) != OK)                                                                          \
            fail_msg("%s: %s", #call, err.msg);                                                    \
    } while (0)

/* A file of tests/data. */
static inline const char *test_data(const char *name)
{
    static char path[4096];
    const char *dir = getenv("PATHWAY_TEST_DATA");
    snprintf(path, sizeof(path), "%s/%s", dir ? dir : PATHWAY_SOURCE_DIR "/tests/data", name);
    return path;
}

/* Of all that a test draws by chance: PATHWAY_SEED, for other draws and to repeat one that failed.
 */
static inline unsigned long long given_seed(void)
{
    const char *given = getenv("PATHWAY_SEED");
    unsigned long long seed = given ? strtoull(given, NULL, 10) : 1;
    print_message("PATHWAY_SEED=%llu\n", seed);
    return seed;
}

#define CASE(fn)                       cmocka_unit_test(fn)
#define CASE_WITH(fn, setup, teardown) cmocka_unit_test_setup_teardown(fn, setup, teardown)
#define TEST_MAIN(...)                                                                             \
    int main(void)                                                                                 \
    {                                                                                              \
        (void)err;                                                                                 \
        const struct CMUnitTest tests[] = { __VA_ARGS__ };                                         \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

#endif
