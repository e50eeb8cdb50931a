/* test_items.c - the events of a JSON file keep their own texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "items.h"

static void assert_items(const char *text, size_t count, const char *const wanted[])
{
    char why[200];
    json_t *items = items_read(text, strlen(text), why, sizeof(why));

    if (!items)
        fail_msg("%s: %s", text, why);
    assert_int_equal(json_array_size(items), count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(json_string_value(json_array_get(items, i)), wanted[i]);
    json_decref(items);
}

static void each_item_stands_on_one_line(void **state)
{
    (void)state;
    assert_items("[]", 0, NULL);
    assert_items("{\"a\":\n [1, \"b c\\\"\"]}\n", 1, (const char *[]){ "{\"a\":[1,\"b c\\\"\"]}" });
    assert_items(" [ {\"a\" : 1} ,\n\t[2 , 3], \"],\" ] ", 3,
                 (const char *[]){ "{\"a\":1}", "[2,3]", "\"],\"" });
}

static void what_the_host_will_not_take_is_still_an_item(void **state)
{
    (void)state;
    assert_items(
        "[99999999999999999999, 1e999, {\"a\":1,\"a\":2}, \"\\u0000\"]", 4,
        (const char *[]){ "99999999999999999999", "1e999", "{\"a\":1,\"a\":2}", "\"\\u0000\"" });
}

static void what_is_no_json_has_none_and_says_where(void **state)
{
    static const char *const TEXTS[] = { "",          "[",     "[1,]",       "[1 2]",
                                         "[1]]",      "[01]",  "[-01e5]",    "[1.]",
                                         "[.5]",      "[1e]",  "[1e999,",    "[0123e999]",
                                         "[\"\\x\"]", "[\"a]", "[\"\xff\"]", "[1e999] 2",
                                         "\"a\"" };
    char why[200];

    (void)state;
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        if (items_read(TEXTS[i], strlen(TEXTS[i]), why, sizeof(why)))
            fail_msg("has items: %s", TEXTS[i]);
        assert_non_null(strstr(why, "it is no JSON: line "));
    }
}

/* Whatever jansson takes has the items that jansson finds in it. */
static void any_text_has_the_items_of_its_tree(void **state)
{
    static const char *const TOKENS[] = { "1",         "1e9",       "00",   "-0.50", "\"a b\"",
                                          "\"]\\\\\"", ",",         ",",    ",",     "[",
                                          "]",         "{\"a\":1}", "null", " ",     "{\"a\":[2,",
                                          "]}",        "\n",        "9e" };
    unsigned seed = 20261126;
    char text[200], why[200];
    int taken = 0;

    (void)state;
    print_message("seed %u\n", seed);
    for (int n = 0; n < 50000; n++) {
        size_t len = 1;
        text[0] = '[';
        for (int left = rand_r(&seed) % 8; left > 0; left--)
            len +=
                (size_t)sprintf(text + len, "%s",
                                TOKENS[(size_t)rand_r(&seed) % (sizeof(TOKENS) / sizeof(*TOKENS))]);
        len += (size_t)sprintf(text + len, "]");
        json_t *tree = json_loadb(text, len, 0, NULL);
        json_t *items = items_read(text, len, why, sizeof(why));
        /* (with an exponent it may be a number that is out of range) */
        if (tree ? !items || json_array_size(tree) != json_array_size(items)
                 : items && !strchr(text, 'e'))
            fail_msg("text %d: %s", n, text);
        taken += tree != NULL;
        for (size_t i = 0; tree && i < json_array_size(items); i++) {
            json_t *item =
                json_loads(json_string_value(json_array_get(items, i)), JSON_DECODE_ANY, NULL);
            if (!json_equal(item, json_array_get(tree, i)))
                fail_msg("text %d, item %zu: %s", n, i, text);
            json_decref(item);
        }
        json_decref(tree);
        json_decref(items);
    }
    assert_true(taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_stands_on_one_line),
        cmocka_unit_test(what_the_host_will_not_take_is_still_an_item),
        cmocka_unit_test(what_is_no_json_has_none_and_says_where),
        cmocka_unit_test(any_text_has_the_items_of_its_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
