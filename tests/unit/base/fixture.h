/* fixture.h - a file with given bytes, for the tests of what reads files. */
#ifndef PATHWAY_TEST_BASE_FIXTURE_H
#define PATHWAY_TEST_BASE_FIXTURE_H

#include "tests/unit/harness.h"

#include <unistd.h>

static char file_path[64];

static inline const char *file_of(const char *bytes, size_t len)
{
    strcpy(file_path, "/tmp/pathway-test-XXXXXX");
    int fd = mkstemp(file_path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
    return file_path;
}

static inline int remove_file(void **state)
{
    (void)state;
    if (file_path[0])
        unlink(file_path);
    file_path[0] = '\0';
    return 0;
}

#endif
