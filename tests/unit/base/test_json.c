/* test_json.c - what json.h promises beyond the published vectors. */
#include "tests/unit/harness.h"

#include <math.h>

#include "base/json.h"

static struct arena arena;

static const struct json *parsed(const char *text)
{
    const struct json *out = NULL;
    assert_ok(json_parse(&out, &arena, text, strlen(text), 64, &err));
    return out;
}

static void assert_refused(const char *text, enum err_code code, const char *says)
{
    const struct json *out = NULL;
    assert_int_equal(json_parse(&out, &arena, text, strlen(text), 64, &err), code);
    assert_null(out);
    if (!strstr(err.msg, says))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, says);
}

static void assert_canonical(const char *text, const char *expected)
{
    struct buf b = { 0 };
    json_write(&b, parsed(text));
    assert_string_equal(buf_cstr(&b), expected);
    buf_fini(&b);
}

static int forget(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void an_error_says_line_column_and_byte(void **state)
{
    (void)state;
    assert_refused("{\n \"a\": 1,\n \"a\": 2}", ERR_INPUT, "line 3, column 4 (byte 15): duplicate");
    assert_refused("{\"a\" 1}", ERR_INPUT, "line 1, column 6 (byte 6): ':' expected");
    assert_refused(" \n ", ERR_INPUT, "empty: expected a JSON value");
    assert_refused("[1] x", ERR_INPUT, "expected nothing behind the value");
    assert_refused("[1e400]", ERR_INPUT, "1e400: a number beyond 1.8e308");
    assert_refused("[12345678901234567890]", ERR_INPUT,
                   "column 21 (byte 21): 12345678901234567890: a whole number beyond 64 bits");
    assert_refused("{\"a\": {\"b\" :\n-1e999}}", ERR_INPUT,
                   "line 2, column 6 (byte 19): \"b\" is -1e999: a number beyond 1.8e308");
}

static void a_nul_byte_does_not_hide_what_is_behind_it(void **state)
{
    (void)state;
    const struct json *out = NULL;
    assert_int_equal(json_parse(&out, &arena, "{}\n\0x", 5, 8, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "line 2, column 1 (byte 4): a NUL byte"));
}

static void depth_is_counted_from_one(void **state)
{
    (void)state;
    const struct json *out;
    assert_ok(json_parse(&out, &arena, "[[]]", 4, 2, &err));
    assert_int_equal(json_parse(&out, &arena, "[[]]", 4, 1, &err), ERR_LIMIT);
    assert_string_equal(err.msg, "nested deeper than 1 levels");
    assert_ok(json_parse(&out, &arena, "7", 1, 0, &err));
}

static void any_depth_beyond_the_limit_is_a_limit(void **state)
{
    (void)state;
    static char deep[20000];
    const struct json *out;

    for (size_t half = 100; half <= sizeof(deep) / 2; half *= 10) {
        memset(deep, '[', half);
        memset(deep + half, ']', half);
        assert_int_equal(json_parse(&out, &arena, deep, 2 * half, 64, &err), ERR_LIMIT);
    }
}

static void canonical_form_sorts_names_bytewise_and_drops_space(void **state)
{
    (void)state;
    assert_canonical(" { \"b\" : [ 1 , 2 ], \"a\" : { \"z\":null, \"Z\":true } } ",
                     "{\"a\":{\"Z\":true,\"z\":null},\"b\":[1,2]}");
    assert_canonical("{\"\xc3\xa9\":1,\"z\":2,\"a\\u0062\":3}",
                     "{\"ab\":3,\"z\":2,\"\xc3\xa9\":1}");
    assert_canonical("{}", "{}");
    assert_canonical("[[],{},\"\"]", "[[],{},\"\"]");
}

static void many_members_are_sorted_too(void **state)
{
    (void)state;
    struct buf in = { 0 }, out = { 0 };

    for (int i = 99; i >= 0; i--)
        buf_printf(&in, "%s\"k%02d\":%d", i == 99 ? "{" : ",", i, i);
    buf_char(&in, '}');
    json_write(&out, parsed(buf_cstr(&in)));
    assert_int_equal(strncmp(buf_cstr(&out), "{\"k00\":0,\"k01\":1,", 17), 0);
    buf_fini(&in);
    buf_fini(&out);
}

static void equal_numbers_give_equal_bytes(void **state)
{
    (void)state;
    assert_canonical("[1.0,1e2,-0.0,-0,0e5,100E-2]", "[1,100,0,0,0,1]");
    assert_canonical("[1e18,1000000000000000000]", "[1000000000000000000,1000000000000000000]");
    assert_canonical("[9007199254740993]", "[9007199254740993]");
    assert_canonical("[-9223372036854775808,9223372036854775807]",
                     "[-9223372036854775808,9223372036854775807]");
    assert_canonical("[0.1,0.10,1e-1,0.30000000000000004]", "[0.1,0.1,0.1,0.30000000000000004]");
    assert_canonical("[1e300,5e-324]", "[1e+300,5e-324]");
}

static void whole_reals_are_integers_in_the_tree(void **state)
{
    (void)state;
    assert_int_equal(parsed("2.0")->type, JSON_INT);
    assert_int_equal(parsed("2.5")->type, JSON_REAL);
    assert_int_equal(parsed("1e19")->type, JSON_REAL);
}

static void reals_survive_the_round_trip(void **state)
{
    (void)state;
    unsigned seed = 20261124;
    print_message("seed %u\n", seed);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = 0;
        for (int word = 0; word < 5; word++)
            bits = bits << 15 ^ (uint64_t)rand_r(&seed);
        double value;
        memcpy(&value, &bits, sizeof(value));
        if (!isfinite(value))
            continue;
        struct buf b = { 0 };
        json_write_real(&b, value);
        double back = strtod(buf_cstr(&b), NULL);
        assert_true(back >= value && back <= value);
        buf_fini(&b);
    }
}

static void strings_keep_every_character(void **state)
{
    (void)state;
    const struct json *s = parsed("\"a\\u0000b\\/\\ud83d\\ude00\"");
    assert_int_equal(s->len, 8);
    assert_memory_equal(s->as.string, "a\0b/\xf0\x9f\x98\x80", 9);
    assert_canonical("\"\\u0000\\u001f\\n\\t\\\"\\\\\\u007f\\u00e9\"",
                     "\"\\u0000\\u001f\\n\\t\\\"\\\\\x7f\xc3\xa9\"");
}

/* Wherever it stands among steps of several bytes. */
static void one_odd_character_is_written_anywhere(void **state)
{
    (void)state;
    static const char PLAIN[] = "the quick brown fox jumps over a lazy dog";
    static const char *const ODD[][2] = {
        { "\"", "\\\"" },           { "\\", "\\\\" },           { "\n", "\\n" },
        { "\x1f", "\\u001f" },      { "\x7f", "\x7f" },         { "~", "~" },
        { "\xff", "\xef\xbf\xbd" }, { "\xc3\xa9", "\xc3\xa9" },
    };
    struct buf in = { 0 }, out = { 0 }, expected = { 0 };

    for (int i = 0; i < 40 * 20 * 8; i++) {
        const char *const *odd = ODD[i % 8];
        int before = i / 8 % 40, behind = i / 320;
        buf_reset(&in);
        buf_reset(&out);
        buf_reset(&expected);
        buf_printf(&in, "%.*s%s%.*s", before, PLAIN, odd[0], behind, PLAIN);
        buf_printf(&expected, "\"%.*s%s%.*s\"", before, PLAIN, odd[1], behind, PLAIN);
        json_write_string(&out, in.data, in.len);
        assert_string_equal(buf_cstr(&out), buf_cstr(&expected));
    }
    buf_fini(&in);
    buf_fini(&out);
    buf_fini(&expected);
}

static void names_are_escaped_like_strings(void **state)
{
    (void)state;
    assert_canonical("{\"b\\n\":1,\"a quoted \\\" name\":2,\"\":{\"\\u00e9\":3}}",
                     "{\"\":{\"\xc3\xa9\":3},\"a quoted \\\" name\":2,\"b\\n\":1}");
}

static void bytes_that_are_not_utf8_are_replaced(void **state)
{
    (void)state;
    struct buf b = { 0 };
    json_write_string(&b, "a\xff\xc3(\xed\xa0\x80", 7);
    assert_string_equal(buf_cstr(&b),
                        "\"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    buf_reset(&b);
    json_write_cstr(&b, NULL);
    json_write_real(&b, HUGE_VAL);
    assert_string_equal(buf_cstr(&b), "nullnull");
    buf_fini(&b);
}

static void members_are_found_by_name(void **state)
{
    (void)state;
    const struct json *object = parsed("{\"a\":\"x\",\"b\":2}");
    assert_int_equal(json_get(object, "b")->as.integer, 2);
    assert_null(json_get(object, "c"));
    assert_null(json_get(json_get(object, "a"), "a"));
    assert_null(json_get(NULL, "a"));
    assert_true(json_is_string(json_get(object, "a"), "x"));
    assert_false(json_is_string(json_get(object, "b"), "x"));
    assert_false(json_is_string(parsed("\"x\\u0000y\""), "x"));
}

static void a_brief_form_fits_and_is_whole_characters(void **state)
{
    (void)state;
    char out[12];
    assert_string_equal(json_brief(parsed("\"short\""), out, sizeof(out)), "\"short\"");
    assert_string_equal(json_brief(parsed("\"123456789\""), out, sizeof(out)), "\"123456789\"");
    assert_string_equal(json_brief(parsed("\"1234567890\""), out, sizeof(out)), "\"123456...\"");
    assert_string_equal(json_brief(parsed("\"12345\xc3\xa9\xc3\xa9\xc3\xa9\""), out, sizeof(out)),
                        "\"12345...\"");
    assert_string_equal(json_brief(parsed("\"a\\nb\""), out, sizeof(out)), "\"a\\nb\"");
    assert_string_equal(json_brief(parsed("{\"a\":1}"), out, sizeof(out)), "an object");
    assert_string_equal(json_brief(parsed("1.5"), out, sizeof(out)), "1.5");
    assert_string_equal(json_brief(NULL, out, sizeof(out)), "nothing");
}

#define J(fn) CASE_WITH(fn, NULL, forget)
TEST_MAIN(J(an_error_says_line_column_and_byte), J(a_nul_byte_does_not_hide_what_is_behind_it),
          J(depth_is_counted_from_one), J(any_depth_beyond_the_limit_is_a_limit),
          J(canonical_form_sorts_names_bytewise_and_drops_space), J(many_members_are_sorted_too),
          J(equal_numbers_give_equal_bytes), J(whole_reals_are_integers_in_the_tree),
          J(reals_survive_the_round_trip), J(strings_keep_every_character),
          J(one_odd_character_is_written_anywhere), J(names_are_escaped_like_strings),
          J(bytes_that_are_not_utf8_are_replaced), J(members_are_found_by_name),
          J(a_brief_form_fits_and_is_whole_characters))
