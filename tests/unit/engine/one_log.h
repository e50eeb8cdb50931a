/* one_log.h - for files whose cases each begin with an empty log of one pack. */
#ifndef PATHWAY_TEST_ENGINE_ONE_LOG_H
#define PATHWAY_TEST_ENGINE_ONE_LOG_H

#include "tests/unit/engine/support.h"

static struct log LOG;

/* The state that a case is given is its pack. */
static inline int log_setup(void **state)
{
    log_begin(&LOG, *state);
    return 0;
}

static inline int log_teardown(void **state)
{
    (void)state;
    log_end(&LOG);
    return 0;
}

#define LOG_CASE(fn, pack)                                                                         \
    cmocka_unit_test_prestate_setup_teardown(fn, log_setup, log_teardown, (void *)(uintptr_t)(pack))

#endif
