/* An array that is JSON, cut up into its items, whatever numbers, names and levels they have. */
#include "tests/unit/harness.h"

#include "base/json.h"
#include "base/json_pieces.h"

static struct arena arena;

static void assert_pieces(const char *text, size_t wanted_count, const char *const wanted[])
{
    struct json_piece *pieces;
    size_t count;

    assert_int_equal(json_pieces(&pieces, &count, &arena, text, strlen(text), &err), OK);
    assert_int_equal(count, wanted_count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pieces[i].len, strlen(wanted[i]));
        assert_memory_equal(pieces[i].bytes, wanted[i], pieces[i].len);
    }
}

static void no_pieces(const char *text)
{
    struct json_piece *pieces;
    size_t count;

    (void)err_set(&err, ERR_INPUT, "as it was");
    if (json_pieces(&pieces, &count, &arena, text, strlen(text), &err) != ERR_INPUT)
        fail_msg("has pieces: %s", text);
    assert_string_equal(err.msg, "as it was");
}

static void each_item_is_a_piece(void **state)
{
    (void)state;
    assert_pieces("[]", 0, NULL);
    assert_pieces(" [ ] ", 0, NULL);
    assert_pieces("[1]", 1, (const char *[]){ "1" });
    assert_pieces("[1,[2,3],{\"a\":[4,\"]\"],\"b,\":5}]", 3,
                  (const char *[]){ "1", "[2,3]", "{\"a\":[4,\"]\"],\"b,\":5}" });
    assert_pieces("[\"a\\\"],[\",\"\\\\\",\"\"]", 3,
                  (const char *[]){ "\"a\\\"],[\"", "\"\\\\\"", "\"\"" });
}

static void what_the_parser_does_not_take_is_no_fault_of_its_neighbours(void **state)
{
    (void)state;
    assert_pieces("[99999999999999999999,-1e999,1E+999,{\"a\":1,\"a\":2},{\"\\u0000\":1}]", 5,
                  (const char *[]){ "99999999999999999999", "-1e999", "1E+999", "{\"a\":1,\"a\":2}",
                                    "{\"\\u0000\":1}" });
}

static void what_is_no_json_or_no_array_has_none(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "",           " ",
        "{}",         "1",
        "\"[\"",      "[",
        "[1",         "[1,]",
        "[,1]",       "[1 2]",
        "[1]]",       "[01]",
        "[00]",       "[-01e5]",
        "[1.]",       "[.5]",
        "[1e]",       "[+1]",
        "[1-2]",      "[1e999,]",
        "[1e999 x]",  "[0123e999]",
        "[--1]",      "[1.5.6]",
        "[1e5e6]",    "[\"\\x\"]",
        "[\"a\nb\"]", "[\"\xff\"]",
        "[\"a]",      "[nul]",
        "[{\"a\"}]",  "[{\"a\":1e999]",
        "[1e999] 2",  "\xef\xbb\xbf[]",
    };
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++)
        no_pieces(TEXTS[i]);
}

static void the_place_of_an_error_is_that_in_the_whole(void **state)
{
    static const char TEXT[] = "[1,\n \"\xc3\xa9\", {\"a\": 1e999},\n{\"b\":\n 2e999}]";
    static const char *const WANTED[] = {
        "line 2, column 17 (byte 22): \"a\" is 1e999: a number beyond 1.8e308",
        "line 4, column 6 (byte 37): \"b\" is 2e999: a number beyond 1.8e308",
    };
    struct json_piece *pieces;
    const struct json *tree;
    size_t count;

    (void)state;
    assert_int_equal(json_pieces(&pieces, &count, &arena, TEXT, strlen(TEXT), &err), OK);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 2; i++) {
        const struct json_piece *p = &pieces[2 + i];
        assert_int_equal(json_parse(&tree, &arena, p->bytes, p->len, 8, &err), ERR_INPUT);
        json_piece_place(&err, p, TEXT);
        assert_string_equal(err.msg, WANTED[i]);
    }
}

/* Whatever the text is: what the parser takes has the pieces of its tree; of what it does not, and
 * that has pieces, one or more of them are to blame. */
static void any_text_has_the_pieces_of_its_tree_or_of_its_faults(void **state)
{
    static const char *const TOKENS[] = { "1",    "1e999", "00", "-0",         "\"a\"", "\"]\\\"\"",
                                          ",",    ",",     ",",  "[",          "]",     "{\"a\":1}",
                                          "null", " ",     "\n", "{\"a\":[2,", "]}",    "9e" };
    unsigned seed = 20261126;
    char text[200];
    int taken = 0, cut = 0;

    (void)state;
    print_message("seed %u\n", seed);
    for (int n = 0; n < 100000; n++) {
        size_t len = 1;
        text[0] = '[';
        for (int left = rand_r(&seed) % 8; left > 0; left--)
            len +=
                (size_t)sprintf(text + len, "%s",
                                TOKENS[(size_t)rand_r(&seed) % (sizeof(TOKENS) / sizeof(*TOKENS))]);
        len += (size_t)sprintf(text + len, "]");
        const struct json *tree = NULL, *item = NULL;
        struct json_piece *pieces;
        size_t count, wrong = 0;
        bool is_taken = json_parse(&tree, &arena, text, len, 64, &err) == OK;
        bool is_cut = json_pieces(&pieces, &count, &arena, text, len, &err) == OK;
        for (size_t i = 0; is_cut && i < count; i++)
            wrong += json_parse(&item, &arena, pieces[i].bytes, pieces[i].len, 64, &err) != OK;
        if (is_taken ? !is_cut || wrong > 0 || count != tree->len : is_cut && wrong == 0)
            fail_msg("seed 20261126, text %d: %s", n, text);
        taken += is_taken;
        cut += is_cut && !is_taken;
        arena_reset(&arena);
    }
    assert_true(taken > 1000 && cut > 1000);
}

static int free_arena(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_item_is_a_piece),
        CASE(what_the_parser_does_not_take_is_no_fault_of_its_neighbours),
        CASE(what_is_no_json_or_no_array_has_none),
        CASE(the_place_of_an_error_is_that_in_the_whole),
        CASE(any_text_has_the_pieces_of_its_tree_or_of_its_faults),
    };
    return cmocka_run_group_tests(tests, NULL, free_arena);
}
