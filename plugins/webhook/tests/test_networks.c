/* test_networks.c - which addresses webhooks may be sent to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "networks.h"

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage out = { 0 };
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
        out.ss_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
        out.ss_family = AF_INET6;
    else
        fail_msg("%s is no address", text);
    return out;
}

static void only_what_the_whole_world_can_reach_is_public(void **state)
{
    static const char *const PUBLIC[] = { "8.8.8.8",          "1.1.1.1",        "100.63.255.255",
                                          "100.128.0.0",      "172.15.255.255", "172.32.0.0",
                                          "192.167.255.255",  "192.169.0.0",    "223.255.255.255",
                                          "2606:4700::1111",  "2a00:1450::1",   "::ffff:8.8.8.8",
                                          "64:ff9b::808:808", "2002:808:808::1" };
    static const char *const CLOSED[] = { "0.0.0.0",
                                          "10.0.0.1",
                                          "100.64.0.1",
                                          "100.127.255.255",
                                          "127.0.0.1",
                                          "127.255.255.255",
                                          "169.254.169.254",
                                          "172.16.0.1",
                                          "172.31.255.255",
                                          "192.0.0.8",
                                          "192.0.2.1",
                                          "192.168.1.1",
                                          "198.18.0.1",
                                          "198.19.255.255",
                                          "198.51.100.1",
                                          "203.0.113.9",
                                          "224.0.0.1",
                                          "240.0.0.1",
                                          "255.255.255.255",
                                          "::",
                                          "::1",
                                          "fe80::1",
                                          "fc00::1",
                                          "fd12::1",
                                          "ff02::1",
                                          "2001::1",
                                          "2001:db8::1",
                                          "3fff::1",
                                          "::ffff:10.0.0.1",
                                          "::ffff:127.0.0.1",
                                          "64:ff9b::7f00:1",
                                          "2002:7f00:1::1",
                                          "2002:a00:1::1",
                                          "::127.0.0.1",
                                          "100::1",
                                          "4000::1" };

    (void)state;
    for (size_t i = 0; i < sizeof(PUBLIC) / sizeof(PUBLIC[0]); i++) {
        struct sockaddr_storage a = address(PUBLIC[i]);
        if (!address_is_public((struct sockaddr *)&a))
            fail_msg("%s is said not to be public", PUBLIC[i]);
    }
    for (size_t i = 0; i < sizeof(CLOSED) / sizeof(CLOSED[0]); i++) {
        struct sockaddr_storage a = address(CLOSED[i]);
        if (address_is_public((struct sockaddr *)&a))
            fail_msg("%s is said to be public", CLOSED[i]);
    }
}

static void a_list_holds_its_networks_and_no_others(void **state)
{
    struct networks n;
    char error[200];

    (void)state;
    assert_true(
        networks_parse(&n, " 10.1.0.0/16 192.0.2.7  fd00:1::/33 ::1", error, sizeof(error)));
    assert_int_equal(n.count, 4);
    static const struct {
        const char *text;
        bool is_held;
    } CASES[] = { { "10.1.0.0", true },       { "10.1.255.255", true },  { "10.2.0.0", false },
                  { "192.0.2.7", true },      { "192.0.2.6", false },    { "::1", true },
                  { "fd00:1::1", true },      { "fd00:1:7fff::", true }, { "fd00:1:8000::", false },
                  { "::ffff:10.1.2.3", true } };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct sockaddr_storage a = address(CASES[i].text);
        if (networks_hold(&n, (struct sockaddr *)&a) != CASES[i].is_held)
            fail_msg("%s is on the wrong side", CASES[i].text);
    }
}

static void what_is_no_network_is_told(void **state)
{
    static const char *const WRONG[] = { "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/",
                                         "localhost",   "fd00::/129",  "10.0.0.0/8x" };
    struct networks n;
    char error[200];

    (void)state;
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        assert_false(networks_parse(&n, WRONG[i], error, sizeof(error)));
        assert_non_null(strstr(error, WRONG[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_the_whole_world_can_reach_is_public),
        cmocka_unit_test(a_list_holds_its_networks_and_no_others),
        cmocka_unit_test(what_is_no_network_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
