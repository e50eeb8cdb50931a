/* test_text.c - UTF-8, windows-1252 and likely slips. */
#include "tests/unit/harness.h"

#include "base/text.h"

static void only_well_formed_utf8_passes(void **state)
{
    (void)state;
    static const char *const GOOD[] = { "",
                                        "abc",
                                        "\xc2\x80",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf" };
    static const char *const BAD[] = { "\x80",
                                       "\xc0\x80",
                                       "\xc1\xbf",
                                       "\xc2",
                                       "\xe0\x9f\xbf",
                                       "\xed\xa0\x80",
                                       "\xed\xbf\xbf",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xff",
                                       "\xe2\x82",
                                       "\xe2(\xa1" };
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
        assert_true(text_is_utf8(GOOD[i], strlen(GOOD[i])));
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_false(text_is_utf8(BAD[i], strlen(BAD[i])));
    assert_true(text_is_utf8("a\0b", 3));
}

static void every_scalar_value_is_one_character(void **state)
{
    (void)state;
    for (uint32_t c = 0x800; c < 0x110000; c++) {
        char s[4];
        size_t n = 0;
        if (c < 0x10000) {
            s[n++] = (char)(0xe0 | c >> 12);
        } else {
            s[n++] = (char)(0xf0 | c >> 18);
            s[n++] = (char)(0x80 | (c >> 12 & 0x3f));
        }
        s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
        s[n++] = (char)(0x80 | (c & 0x3f));
        uint32_t back = 0;
        bool is_surrogate = c >= 0xd800 && c <= 0xdfff;
        assert_int_equal(text_utf8_char(s, n, &back), is_surrogate ? 0 : n);
        assert_int_equal(back, is_surrogate ? 0 : c);
        assert_int_equal(text_utf8_char(s, n - 1, NULL), 0);
    }
}

static void what_does_not_print_is_seen(void **state)
{
    (void)state;
    assert_true(text_is_printable("caf\xc3\xa9 \xf0\x9f\x98\x80", 10));
    assert_false(text_is_printable("a\nb", 3));
    assert_false(text_is_printable("\x7f", 1));
    assert_false(text_is_printable("\xc2\x85", 2));         /* U+0085 */
    assert_false(text_is_printable("\xef\xb7\x90", 3));     /* U+FDD0 */
    assert_false(text_is_printable("\xef\xbf\xbf", 3));     /* U+FFFF */
    assert_false(text_is_printable("\xf0\x9f\xbf\xbe", 4)); /* U+1FFFE */
    assert_true(text_is_printable("\xef\xbf\xbd", 3));      /* U+FFFD */
}

/* Wherever it stands among steps of several bytes. */
static void one_byte_that_does_not_print_is_found_anywhere(void **state)
{
    (void)state;
    static const char ODD[] = { 0, 1, 0x1f, 0x7f, (char)0x80, (char)0xff };
    for (size_t len = 1; len < 40; len++) {
        char s[40];
        memset(s, '~', len);
        assert_true(text_is_printable(s, len));
        assert_int_equal(text_ascii_run(s, len), len);
        for (size_t at = 0; at < len; at++) {
            for (size_t i = 0; i < sizeof(ODD); i++) {
                memset(s, ' ', len);
                s[at] = ODD[i];
                assert_false(text_is_printable(s, len));
                assert_int_equal(text_ascii_run(s, len), at);
            }
        }
    }
}

static void windows_1252_becomes_utf8(void **state)
{
    (void)state;
    size_t len;
    char *out = text_from_cp1252("St Joseph\x92s \x80 \xe9\x81", 16, &len);
    assert_string_equal(out, "St Joseph\xe2\x80\x99s \xe2\x82\xac \xc3\xa9\xef\xbf\xbd");
    assert_int_equal(len, strlen(out));
    free(out);
}

static void the_nearest_name_is_a_likely_slip(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "teacher", "role", "lead.named", "id" };
    assert_string_equal(text_nearest("techer", NAMES, 4), "teacher");
    assert_string_equal(text_nearest("TEACHER", NAMES, 4), "teacher");
    assert_string_equal(text_nearest("rloe", NAMES, 4), "role");
    assert_string_equal(text_nearest("lead.name", NAMES, 4), "lead.named");
    assert_string_equal(text_nearest("ids", NAMES, 4), "id");
    assert_string_equal(text_nearest("lead", NAMES, 4), "lead.named");
    assert_string_equal(text_nearest("named", NAMES, 4), "lead.named");
    assert_null(text_nearest("amed.", NAMES, 4));
    assert_null(text_nearest("pupil", NAMES, 4));
    assert_null(text_nearest("", NAMES, 4));
    assert_null(text_nearest("x", NAMES, 4));
}

static void ties_go_to_the_first(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "cat", "bat", "hat" };
    assert_string_equal(text_nearest("rat", NAMES, 3), "cat");
    assert_string_equal(text_nearest("bat", NAMES, 3), "bat");
}

static void a_hint_is_a_question_or_nothing(void **state)
{
    (void)state;
    static const char *const NAMES[] = { "secure" };
    char out[64];
    assert_string_equal(text_hint(out, sizeof(out), "secured", NAMES, 1),
                        "; did you mean \"secure\"?");
    assert_string_equal(text_hint(out, sizeof(out), "other", NAMES, 1), "");
}

TEST_MAIN(CASE(only_well_formed_utf8_passes), CASE(every_scalar_value_is_one_character),
          CASE(what_does_not_print_is_seen), CASE(one_byte_that_does_not_print_is_found_anywhere),
          CASE(windows_1252_becomes_utf8), CASE(the_nearest_name_is_a_likely_slip),
          CASE(ties_go_to_the_first), CASE(a_hint_is_a_question_or_nothing))
