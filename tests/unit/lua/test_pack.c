/* test_pack.c - several files make a pack: what is declared twice, imported, or broken in one of
 * them. */
#include "tests/unit/lua/support.h"

#define FILES_CASE(files, expected)                                                                \
    do {                                                                                           \
        char said_[4096];                                                                          \
        ruleset_free(load_files(files, sizeof(files) / sizeof((files)[0]), said_, sizeof(said_))); \
        assert_string_equal(said_, expected);                                                      \
    } while (0)

static void what_is_declared_twice_is_told_with_both_places(void **state)
{
    static const struct pack_file FILES[] = {
        { "a.lua", "return pack { name = 'a',\n"
                   "  facts = { school = { x = text } },\n"
                   "  events = { go = { title = 'Go', subject = 'school', data = {} } },\n"
                   "  params = { p = 1 },\n"
                   "  rules = { r = rule { 'R', source = 's', function(s) end } },\n"
                   "  on = { school = { go = function(s, e) end } },\n"
                   "}" },
        { "b.lua", "return pack {\n  name = 'b',\n"
                   "  facts = { school = { x = bool } },\n"
                   "  events = { go = { title = 'Go', subject = 'school', data = {} } },\n"
                   "  params = { p = 1 },\n"
                   "  alerts = { r = alert { 'R', source = 's', function(s) end } },\n"
                   "  on = { school = { go = function(s, e) end } },\n"
                   "}" },
    };
    (void)state;
    FILES_CASE(FILES,
               "national/b.lua:2: the pack is named twice; the first is at national/a.lua:1\n"
               "national/b.lua:4: event go is declared twice; the first is at national/a.lua:3\n"
               "national/b.lua:3: fact x is declared twice; the first is at national/a.lua:2\n"
               "national/b.lua:5: parameter p is declared twice; the first is at national/a.lua:4\n"
               "national/b.lua:6: r is declared twice; the first is at national/a.lua:5\n"
               "national/b.lua:7: on.school[\"go\"] is declared twice; the first is at "
               "national/a.lua:6");
}

static void moves_of_two_files_are_told_with_both_places(void **state)
{
    static const struct pack_file FILES[] = {
        { "a.lua", "return pack { name = 'a', facts = { school = { x = bool } },\n"
                   "  moves = { school = { x = once(function(s) end) } } }" },
        { "b.lua", "return pack {\n\n  moves = { school = { x = once(function(s) end) } } }" },
    };
    (void)state;
    FILES_CASE(FILES,
               "national/b.lua:3: move x is declared twice; the first is at national/a.lua:2");
}

static void files_that_import_each_other_are_told_once(void **state)
{
    static const struct pack_file TWO[] = {
        { "a.lua", "local b = import 'b'\nreturn pack { name = 'a' }" },
        { "b.lua", "\nlocal c = import 'c'\nreturn {}" },
        { "c.lua", "\n\nlocal b = import 'b'\nreturn {}" },
    };
    static const struct pack_file ITSELF[] = { { "a.lua", "local a = import('a')\nreturn a" } };
    (void)state;
    FILES_CASE(TWO, "national/c.lua:3: import: these files import each other: b -> c -> b");
    FILES_CASE(ITSELF, "national/a.lua:1: import: these files import each other: a -> a");
}

/* Whoever imports a broken file says nothing of its own: there is one thing to mend. */
static void a_broken_file_is_told_once_however_many_import_it(void **state)
{
    static const struct pack_file FILES[] = {
        { "a.lua", "local w = import 'words'\nreturn pack { name = 'a' }" },
        { "b.lua", "local w = import 'words'\nreturn pack {}" },
        { "c.lua", "return pack { title = nope }" },
        { "words.lua", "return {\n  a = 1,,\n}" },
    };
    (void)state;
    FILES_CASE(FILES, "national/words.lua:2: unexpected symbol near ','\n"
                      "national/c.lua:1: unknown name 'nope'; did you mean \"note\"?");
}

static void a_file_that_is_not_there_is_told_with_the_nearest(void **state)
{
    static const struct pack_file FILES[] = {
        { "a.lua", "local w = import 'wrods'\nreturn pack { name = 'a' }" },
        { "words.lua", "return {}" },
    };
    (void)state;
    FILES_CASE(FILES, "national/a.lua:1: import: there is no wrods.lua in this pack; did you mean "
                      "\"words\"?");
}

static void an_imported_file_is_run_once_and_shared(void **state)
{
    static const struct pack_file FILES[] = {
        { "a.lua", "local w, again = import 'words', import 'words'\n"
                   "if w ~= again then error('twice') end\n"
                   "return pack { name = 'a', facts = { school = { x = enum(w.list) } } }" },
        { "words.lua", "return { list = { 'a', 'b' } }" },
    };
    (void)state;
    FILES_CASE(FILES, "");
}

static void a_rule_can_not_import(void **state)
{
    (void)state;
    assert_string_equal(
        problems_of("return pack { name = 'a', rules = { r = rule { 'R', source = 's',\n"
                    "  function(s) return import 'x' end } } }"),
        "national/pack.lua:2: import: files are imported at the top of a file, not by "
        "a function");
    /* and not behind our back either */
    struct ruleset *rs =
        load_pack("local get = { import }\n"
                  "return pack { name = 'a', rules = { r = rule { 'R', source = 's',\n"
                  "  function(s) return get[1]('x') end } } }");
    struct record *r = new_record(rs, SCHOOL);
    assert_decision(
        r, "2025-01-01", "r",
        "error \"national/pack.lua:3: import: files are imported while a pack is loaded, "
        "not by a rule\"");
    record_free(r);
    ruleset_free(rs);
}

static void several_mistakes_are_told_at_once(void **state)
{
    (void)state;
    assert_string_equal(
        problems_of("return pack { name = 'a',\n"
                    "  facts = { school = { x = 5,\n"
                    "    y = text } },\n"
                    "  params = { p = {} },\n"
                    "  rules = { r = rule { 'R', source = 's',\n"
                    "    function(s) return s.z, s.param.q end } },\n"
                    "}"),
        "national/pack.lua:2: fact x: found a number, expected a type such as text, set(person) or "
        "map(year, int)\n"
        "national/pack.lua:4: parameter p is nothing; expected a number, a text or true or false\n"
        "national/pack.lua:6: unknown fact or rule 'z'\n"
        "national/pack.lua:6: unknown parameter 'q'");
}

/* The same files from a folder and from the archive: the same digest, and the same places in
 * messages. */
static void a_pack_from_the_archive_is_the_same_pack(void **state)
{
    struct ruleset *rs =
        load_pack("return pack { name = 'a', rules = { r = rule { 'R', source = 's',\n"
                  "  function(s) error('no') end } } }");
    struct ruleset *again = NULL;
    struct ruleset_file files[4];
    int count = 0;
    (void)state;

    while (ruleset_file_at(&files[count], rs, count))
        count++;
    assert_int_equal(count, 1);
    assert_string_equal(files[0].path, "national/pack.lua");
    assert_ok(ruleset_load_files(&again, files, count, NULL, NULL, &err));
    assert_string_equal(ruleset_digest(again), ruleset_digest(rs));
    struct record *r = new_record(rs, SCHOOL), *s = new_record(again, SCHOOL);
    assert_decision(r, "2025-01-01", "r", "error \"national/pack.lua:2: no\"");
    assert_decision(s, "2025-01-01", "r", "error \"national/pack.lua:2: no\"");
    record_free(r);
    record_free(s);
    files[0].path = "pack.lua";
    ruleset_free(again);
    assert_int_equal(ruleset_load_files(&again, files, count, NULL, NULL, &err), ERR_INPUT);
    assert_null(again);
    ruleset_free(rs);
}

static void a_folder_that_is_not_there_is_absent(void **state)
{
    struct ruleset *rs = NULL;
    (void)state;

    assert_int_equal(ruleset_load(&rs, "/nowhere/rules", NULL, &err), ERR_ABSENT);
    assert_string_equal(err.msg, "/nowhere/rules: there is no such rules folder");
    assert_null(rs);
}

static void the_first_problem_is_the_error(void **state)
{
    struct folder f = folder_new();
    struct pack_file file = { "pack.lua", "return pack {\n  name = 'a'\n" };
    struct ruleset *rs = NULL;
    char expected[200];
    (void)state;

    folder_write(&f, &file);
    assert_int_equal(ruleset_load(&rs, f.national, NULL, &err), ERR_RULE);
    snprintf(expected, sizeof(expected),
             "%s/pack.lua:3: '}' expected (to close '{' at line 1) at the end of the file",
             f.national);
    assert_string_equal(err.msg, expected);
    folder_remove(&f, &file, 1);
}

TEST_MAIN(CASE(what_is_declared_twice_is_told_with_both_places),
          CASE(moves_of_two_files_are_told_with_both_places),
          CASE(files_that_import_each_other_are_told_once),
          CASE(a_broken_file_is_told_once_however_many_import_it),
          CASE(a_file_that_is_not_there_is_told_with_the_nearest),
          CASE(an_imported_file_is_run_once_and_shared), CASE(a_rule_can_not_import),
          CASE(several_mistakes_are_told_at_once), CASE(a_pack_from_the_archive_is_the_same_pack),
          CASE(a_folder_that_is_not_there_is_absent), CASE(the_first_problem_is_the_error))
