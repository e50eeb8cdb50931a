/* test_access.c - whom a token lets in, and for what. */
#include "tests/unit/harness.h"

#include "base/civil.h"
#include "base/secret.h"
#include "host/access.h"

static char secret[SECRET_TEXT];

/* An answer of the engine's with one token, whose secret is `secret`. */
static const char *answer_with(const char *rest)
{
    static char text[1024];
    uint8_t digest[DIGEST_BYTES];
    char hex[DIGEST_HEX];

    secret_new(secret);
    secret_digest(digest, secret);
    snprintf(text, sizeof(text),
             "{\"result\":{\"a\":1},\"keys\":[{\"name\":\"t\",\"digest\":\"%s\",%s}]}",
             digest_hex(digest, hex), rest);
    return text;
}

static enum pw_status enter(const struct access *a, const char *token, int64_t now,
                            struct pw_identity *who)
{
    *who = (struct pw_identity){ 0 };
    return access_identify(a, token, now, who);
}

static void nobody_comes_in_before_it_is_known_who_may(void **state)
{
    struct access a = { 0 };
    struct pw_identity who;
    (void)state;
    assert_int_equal(enter(&a, "x", 0, &who), PW_BUSY);
    assert_int_equal(enter(&a, NULL, 0, &who), PW_BUSY);
    assert_ok(access_take(&a, NULL, "{\"result\":{},\"keys\":[]}", &err));
    assert_int_equal(enter(&a, NULL, 0, &who), PW_OK); /* there are none */
    assert_int_equal(enter(&a, "x", 0, &who), PW_ABSENT);
    access_fini(&a);
}

static void a_token_says_who_what_and_where(void **state)
{
    struct access a = { 0 };
    struct pw_identity who;
    struct buf result = { 0 };
    (void)state;
    assert_ok(access_take(&a, &result,
                          answer_with("\"scopes\":\"read personal\",\"hubs\":\"07 12\","
                                      "\"expires\":1000,\"revoked\":false"),
                          &err));
    assert_string_equal(buf_cstr(&result), "{\"a\":1}");
    assert_int_equal(enter(&a, secret, 999, &who), PW_OK);
    assert_string_equal(who.name, "t");
    assert_int_equal(who.scopes, PW_READ | PW_PERSONAL);
    assert_string_equal(who.hubs, "07 12");
    assert_int_equal(enter(&a, secret, 1000, &who), PW_ABSENT); /* it ends at that instant */
    assert_int_equal(enter(&a, NULL, 0, &who), PW_ABSENT);      /* there are some */
    secret[20] ^= 1;
    assert_int_equal(enter(&a, secret, 0, &who), PW_ABSENT);
    buf_fini(&result);
    access_fini(&a);
}

static void a_revoked_one_lets_nobody_in_and_opens_no_door(void **state)
{
    struct access a = { 0 };
    struct pw_identity who;
    (void)state;
    assert_ok(access_take(&a, NULL,
                          answer_with("\"scopes\":\"read\",\"hubs\":null,"
                                      "\"expires\":9223372036854775807,\"revoked\":true"),
                          &err));
    assert_int_equal(enter(&a, secret, 0, &who), PW_ABSENT);
    assert_int_equal(enter(&a, NULL, 0, &who), PW_ABSENT);
    access_fini(&a);
}

static void what_can_not_be_read_changes_nothing(void **state)
{
    struct access a = { 0 };
    struct pw_identity who;
    (void)state;
    assert_ok(access_take(&a, NULL,
                          answer_with("\"scopes\":\"write\",\"hubs\":null,\"expires\":5,"
                                      "\"revoked\":false"),
                          &err));
    assert_int_not_equal(access_take(&a, NULL, "{}", &err), OK);
    assert_int_not_equal(access_take(&a, NULL, "{\"keys\":[{}]}", &err), OK);
    assert_int_equal(enter(&a, secret, 0, &who), PW_OK);
    access_fini(&a);
}

TEST_MAIN(CASE(nobody_comes_in_before_it_is_known_who_may), CASE(a_token_says_who_what_and_where),
          CASE(a_revoked_one_lets_nobody_in_and_opens_no_door),
          CASE(what_can_not_be_read_changes_nothing))
