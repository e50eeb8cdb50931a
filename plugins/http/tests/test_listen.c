/* test_listen.c - which addresses are served, and what becomes of socket files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "listen.h"

static char dir[32];
static char address[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/pathway-listen-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(address, sizeof(address), "unix:%s/s", dir);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(address + 5);
    return rmdir(dir);
}

static const char *refusal(const char *where)
{
    static char error[512];
    struct listening l;
    error[0] = '\0';
    assert_false(listen_open(&l, where, error, sizeof(error)));
    return error;
}

static void port_0_picks_a_free_one_and_tells_it(void **state)
{
    (void)state;
    struct listening a, b;
    char error[512], again[sizeof(a.name)];
    assert_true(listen_open(&a, "127.0.0.1:0", error, sizeof(error)));
    assert_true(listen_open(&b, "localhost:0", error, sizeof(error)));
    assert_memory_equal(a.name, "127.0.0.1:", 10);
    assert_true(atoi(a.name + 10) > 0);
    assert_string_not_equal(a.name, b.name);
    snprintf(again, sizeof(again), "%s", a.name);
    assert_non_null(strstr(refusal(again), "Address already in use"));
    listen_close(&a);
    listen_close(&b);
}

static void loopback_is_told_from_what_others_reach(void **state)
{
    struct listening l;
    char error[200];
    (void)state;
    assert_true(listen_open(&l, "127.0.0.2:0", error, sizeof(error)));
    assert_true(l.is_loopback);
    listen_close(&l);
    assert_true(listen_open(&l, "0.0.0.0:0", error, sizeof(error)));
    assert_false(l.is_loopback);
    listen_close(&l);
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    assert_non_null(strstr(refusal("example.org:80"), "is no IP address"));
    assert_non_null(strstr(refusal("127.0.0.1:70000"), "expected HOST:PORT"));
    assert_non_null(strstr(refusal("127.0.0.1"), "expected HOST:PORT"));
    assert_non_null(strstr(refusal("unix:"), "1 to 107 bytes"));
}

static void a_socket_is_for_its_owner_and_group(void **state)
{
    (void)state;
    struct listening l;
    struct stat st;
    char error[512];
    assert_true(listen_open(&l, address, error, sizeof(error)));
    assert_int_equal(stat(address + 5, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    listen_close(&l);
    assert_int_not_equal(access(address + 5, F_OK), 0);
}

static void a_socket_left_behind_is_replaced(void **state)
{
    (void)state;
    struct listening crashed, l;
    char error[512];
    assert_true(listen_open(&crashed, address, error, sizeof(error)));
    close(crashed.fd); /* the crash: the file stays */
    assert_true(listen_open(&l, address, error, sizeof(error)));
    listen_close(&l);
}

static void a_socket_that_answers_is_left_alone(void **state)
{
    (void)state;
    struct listening l;
    char error[512];
    assert_true(listen_open(&l, address, error, sizeof(error)));
    assert_non_null(strstr(refusal(address), "Address already in use"));
    assert_int_equal(access(address + 5, F_OK), 0);
    listen_close(&l);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    (void)state;
    FILE *f = fopen(address + 5, "w");
    assert_non_null(f);
    fclose(f);
    assert_non_null(strstr(refusal(address), "Address already in use"));
    assert_int_equal(access(address + 5, F_OK), 0);
}

#define LISTEN_CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        LISTEN_CASE(port_0_picks_a_free_one_and_tells_it),
        LISTEN_CASE(loopback_is_told_from_what_others_reach),
        LISTEN_CASE(what_is_no_address_is_refused),
        LISTEN_CASE(a_socket_is_for_its_owner_and_group),
        LISTEN_CASE(a_socket_left_behind_is_replaced),
        LISTEN_CASE(a_socket_that_answers_is_left_alone),
        LISTEN_CASE(a_file_that_is_no_socket_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
