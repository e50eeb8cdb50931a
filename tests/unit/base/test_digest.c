/* test_digest.c - parts do not run together, and a key makes another digest. */
#include "tests/unit/harness.h"

#include <sodium.h>

#include "base/digest.h"

static int setup(void **state)
{
    (void)state;
    return digest_init(&err) == OK ? 0 : -1;
}

static const char *hex_of(const uint8_t *key, const char *a, const char *b, char *out)
{
    uint8_t digest[DIGEST_BYTES];
    const struct digest_part parts[] = { { a, strlen(a) }, { b, strlen(b) } };
    digest_parts(digest, key, parts, 2);
    return digest_hex(digest, out);
}

static void parts_do_not_run_together(void **state)
{
    (void)state;
    char one[DIGEST_HEX], other[DIGEST_HEX];
    assert_string_equal(hex_of(NULL, "ab", "c", one), hex_of(NULL, "ab", "c", other));
    assert_string_not_equal(hex_of(NULL, "ab", "c", one), hex_of(NULL, "a", "bc", other));
    assert_string_not_equal(hex_of(NULL, "", "abc", one), hex_of(NULL, "abc", "", other));
    assert_int_equal(strlen(one), 64);
}

static void no_parts_are_the_known_digest_of_nothing(void **state)
{
    (void)state;
    uint8_t digest[DIGEST_BYTES];
    char hex[DIGEST_HEX];
    digest_parts(digest, NULL, NULL, 0);
    assert_string_equal(digest_hex(digest, hex),
                        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

static void a_key_makes_another_digest(void **state)
{
    (void)state;
    uint8_t key[DIGEST_BYTES], other_key[DIGEST_BYTES];
    char one[DIGEST_HEX], other[DIGEST_HEX];
    random_bytes(key, sizeof(key));
    random_bytes(other_key, sizeof(other_key));
    assert_string_not_equal(hex_of(key, "a", "b", one), hex_of(NULL, "a", "b", other));
    assert_string_not_equal(hex_of(key, "a", "b", one), hex_of(other_key, "a", "b", other));
    assert_string_equal(hex_of(key, "a", "b", one), hex_of(key, "a", "b", other));
}

/* However long the parts are, and wherever they end in what is collected. */
static void parts_are_digested_whole(void **state)
{
    (void)state;
    char bytes[700], joined[2 * sizeof(bytes) + 16];
    uint8_t digest[DIGEST_BYTES], expected[DIGEST_BYTES];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    for (size_t len = 0; len < sizeof(bytes); len += 13) {
        const struct digest_part parts[] = { { bytes, len },
                                             { bytes + 1, sizeof(bytes) - 1 - len } };
        size_t used = 0;
        for (int i = 0; i < 2; i++) {
            for (size_t byte = 0; byte < 8; byte++)
                joined[used++] = (char)(parts[i].len >> (8 * byte));
            memcpy(joined + used, parts[i].bytes, parts[i].len);
            used += parts[i].len;
        }
        digest_parts(digest, NULL, parts, 2);
        crypto_generichash(expected, sizeof(expected), (unsigned char *)joined, used, NULL, 0);
        assert_memory_equal(digest, expected, sizeof(digest));
    }
}

TEST_MAIN(CASE_WITH(parts_do_not_run_together, setup, NULL),
          CASE_WITH(no_parts_are_the_known_digest_of_nothing, setup, NULL),
          CASE_WITH(a_key_makes_another_digest, setup, NULL),
          CASE_WITH(parts_are_digested_whole, setup, NULL))
