/* test_sandbox.c - the promise of sandbox.h: a pack reaches nothing but what was chosen, in an
 * order that is the same in every run, within its memory. */
#include "tests/unit/harness.h"

#include <lauxlib.h>

#include "lua/sandbox.h"
#include "lua/state.h"

#define MIB ((size_t)1 << 20)

struct fixture {
    struct sandbox sandbox;
    int env;
    char result[4096];
};

static int push_env(lua_State *L)
{
    struct fixture *f = lua_touserdata(L, 1);
    sandbox_push_env(L);
    f->env = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static void open_sandbox(struct fixture *f, size_t cap)
{
    assert_ok(sandbox_init(&f->sandbox, cap, &err));
    lua_pushcfunction(f->sandbox.L, push_env);
    lua_pushlightuserdata(f->sandbox.L, f);
    assert_ok(sandbox_call(&f->sandbox, 1, 0, &err));
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    open_sandbox(f, 16 * MIB);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(lua_gettop(f->sandbox.L), 0);
    sandbox_fini(&f->sandbox);
    free(f);
    return 0;
}

/* What `text` returns, as text; or the message with which it fails. */
static const char *eval(struct fixture *f, const char *text)
{
    lua_State *L = f->sandbox.L;
    struct err why;

    lua_rawgeti(L, LUA_REGISTRYINDEX, f->env);
    enum err_code rc = sandbox_load(&f->sandbox, "@t.lua", text, strlen(text), -1, &why);
    if (rc == OK) {
        lua_remove(L, -2);
        rc = sandbox_call(&f->sandbox, 0, 1, &why);
    } else {
        lua_pop(L, 1);
    }
    if (rc != OK) {
        snprintf(f->result, sizeof(f->result), "%s%s", rc == ERR_LIMIT ? "LIMIT " : "", why.msg);
        return f->result;
    }
    const char *s = lua_isboolean(L, -1) ? (lua_toboolean(L, -1) ? "true" : "false")
                    : lua_isnil(L, -1)   ? "nil"
                                         : lua_tostring(L, -1);
    snprintf(f->result, sizeof(f->result), "%s", s ? s : luaL_typename(L, -1));
    lua_pop(L, 1);
    return f->result;
}

static void what_was_taken_out_is_unknown(void **state)
{
    static const char *const GONE[] = {
        "_G",           "load",         "loadstring",    "loadfile",
        "dofile",       "require",      "package",       "io",
        "os",           "debug",        "coroutine",     "collectgarbage",
        "setmetatable", "getmetatable", "rawget",        "rawset",
        "rawequal",     "rawlen",       "pcall",         "xpcall",
        "next",         "print",        "warn",          "utf8",
        "_VERSION",     "string.dump",  "string.match",  "string.gmatch",
        "string.gsub",  "string.pack",  "string.unpack", "string.packsize",
        "table.move",   "table.pack",   "math.random",   "math.randomseed",
        "math.sin",     "math.pi",
    };
    char text[100], last[100];

    for (size_t i = 0; i < sizeof(GONE) / sizeof(GONE[0]); i++) {
        snprintf(text, sizeof(text), "return %s", GONE[i]);
        snprintf(last, sizeof(last), "%s", eval(*state, text));
        if (strcmp(last, "nil") != 0)
            fail_msg("%s is %s", GONE[i], last);
    }
}

static void what_is_there_works(void **state)
{
    assert_string_equal(eval(*state, "return ('aBc'):upper() .. #'xy' .. ('x'):rep(3, '-')"),
                        "ABC2x-x-x");
    assert_string_equal(eval(*state, "return table.concat({ 1, 2, 'x' }, ',')"), "1,2,x");
    assert_string_equal(eval(*state, "return math.max(3, 7) // 2 .. math.floor(2.5)"), "32");
    assert_string_equal(eval(*state, "return select('#', table.unpack({ 1, 2, 3 }))"), "3");
    assert_string_equal(eval(*state, "return string.format('%03d %s %5.1f', 7, 'x', 2.25)"),
                        "007 x   2.2");
    assert_string_equal(eval(*state, "return tostring(nil) .. tostring(1.5) .. tostring(true)"),
                        "nil1.5true");
    assert_string_equal(eval(*state, "return type(tonumber('0x10'))"), "number");
}

static void an_error_names_file_and_line(void **state)
{
    assert_string_equal(eval(*state, "local x\nreturn x.y"),
                        "t.lua:2: 'x' is nothing here, and no field of it can be read; ask first "
                        "whether it is there");
    assert_string_equal(eval(*state, "\n\nerror('no')"), "t.lua:3: no");
    assert_string_equal(eval(*state, "return ="), "t.lua:1: unexpected symbol near '='");
    assert_string_equal(eval(*state, "error({})"),
                        "t.lua:1: error() was called with a table instead of a message");
    assert_string_equal(eval(*state, "error()"),
                        "t.lua:1: error() was called with nothing instead of a message");
}

static void bytecode_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err why;
    static const char CODE[] = "\x1bLua\x54";

    lua_rawgeti(f->sandbox.L, LUA_REGISTRYINDEX, f->env);
    assert_int_equal(sandbox_load(&f->sandbox, "@t.lua", CODE, sizeof(CODE) - 1, -1, &why),
                     ERR_RULE);
    assert_non_null(strstr(why.msg, "attempt to load a binary chunk"));
    lua_pop(f->sandbox.L, 1);
}

static void string_rep_is_bounded_also_of_nothing(void **state)
{
    assert_string_equal(eval(*state, "return #('x'):rep(65536)"), "65536");
    const char *TOO_LONG = "t.lua:1: string.rep: the result would be longer than 65536 bytes";
    assert_string_equal(eval(*state, "return ('x'):rep(65537)"), TOO_LONG);
    assert_string_equal(eval(*state, "return (''):rep(1 << 40)"), TOO_LONG);
    assert_string_equal(eval(*state, "return ('x'):rep(2, ('y'):rep(65536))"), TOO_LONG);
    assert_string_equal(eval(*state, "return string.rep('x', math.maxinteger)"), TOO_LONG);
    assert_string_equal(eval(*state, "return ('x'):rep(-5)"), "");
}

static void string_find_looks_for_plain_text(void **state)
{
    assert_string_equal(eval(*state, "return ('a.b'):find('.')"), "2");
    assert_string_equal(eval(*state, "return ('aaa'):find('.-', 1, false)"), "nil");
    assert_string_equal(eval(*state, "return ('abcabc'):find('c', 4)"), "6");
    assert_string_equal(eval(*state, "return (('a'):rep(65536) .. 'b'):find('ab')"),
                        "t.lua:1: string.find: the text is longer than 65536 bytes");
}

static void string_format_shows_no_address(void **state)
{
    assert_string_equal(eval(*state, "return string.format('%p', {})"),
                        "t.lua:1: string.format: %p shows an address, which differs in every run");
    assert_string_equal(eval(*state, "return string.format('%-20p', {})"),
                        "t.lua:1: string.format: %p shows an address, which differs in every run");
    assert_string_equal(eval(*state, "return string.format('%%p %s %s', true, print)"),
                        "%p true nil");
    assert_string_equal(
        eval(*state, "return string.format('%999d', 1)"),
        "t.lua:1: string.format: %999d is unknown; expected %s, %d, %5.1f or the like");
}

/* Lua's text of a table is its address. Who joins one to a text has made a slip. */
static void what_is_no_single_value_has_no_text(void **state)
{
    static const char *const TEXTS[] = {
        "tostring({})",
        "tostring(ipairs)",
        "string.format('%s', {})",
        "string.format('%s', ipairs)",
        "string.format('%d %q', 1, {})",
        "('%s'):format(string)",
    };
    char code[80], expected[300];

    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        bool is_format = strstr(TEXTS[i], "format") != NULL;
        snprintf(code, sizeof(code), "return %s", TEXTS[i]);
        snprintf(
            expected, sizeof(expected),
            "t.lua:1: %s: found %s, which has no text; expected a text, a number, true or false: "
            "name a field of it, or go through it by each(...) or ipairs(...)",
            is_format ? "string.format" : "tostring",
            strstr(TEXTS[i], "ipairs") ? "a function" : "a table");
        assert_string_equal(eval(*state, code), expected);
    }
    assert_string_equal(eval(*state, "return tostring(0/0) .. tostring(-(0/0))"), "nannan");
}

static void pairs_walks_numbers_and_then_texts_in_their_order(void **state)
{
    assert_string_equal(
        eval(*state,
             "local t, seen = { b = 1, a = 1, [10] = 1, [9] = 1, [2.5] = 1, [-1] = 1, B = 1,\n"
             "  ['a\\0b'] = 1, ab = 1 }, ''\n"
             "for k in pairs(t) do seen = seen .. k .. ' ' end return #seen .. seen:sub(1, 21)"),
        "25-1 2.5 9 10 B a a");
    assert_string_equal(eval(*state,
                             "local n = 0 for i = 1, 1000 do local t = {} t['k' .. i % 50] = 1 "
                             "for k, v in pairs(t) do n = n + v end end return n"),
                        "1000");
    assert_string_equal(eval(*state, "for _ in pairs({ [true] = 1 }) do end"),
                        "t.lua:1: a key is true or false; only numbers and texts have an order");
    assert_string_equal(eval(*state, "local t, s = { a = 1, b = 2, c = 3 }, ''\n"
                                     "for k in pairs(t) do s = s .. k t.b = nil end return s"),
                        "ac");
    assert_string_equal(eval(*state, "pairs(5)"),
                        "t.lua:1: pairs: argument 1: found a number, expected a table");
}

static void sorting_is_stable_and_an_error_leaves_the_table_as_it_was(void **state)
{
    assert_string_equal(eval(*state, "local t = { 3, 1, 2 } table.sort(t) return table.concat(t)"),
                        "123");
    assert_string_equal(
        eval(*state, "local t = {} for i = 1, 5000 do t[i] = { i % 3, i } end\n"
                     "table.sort(t, function(a, b) return a[1] < b[1] end)\n"
                     "for i = 2, #t do\n"
                     "  if t[i][1] == t[i - 1][1] and t[i][2] < t[i - 1][2] then return i end\n"
                     "end return 'stable'"),
        "stable");
    assert_string_equal(eval(*state, "local t = { 'b', 'a', 1 }\n"
                                     "return #t, table.sort({ 'b', 'a', 1 })"),
                        "t.lua:2: a number is compared with a text; if it is an instant, compare "
                        "it with midnight(\"2026-09-01\") or ask s:reached(...)");
    assert_string_equal(eval(*state,
                             "local t = { 4, 2, 3, 1 } table.sort(t, function() return true end)"
                             " return #t"),
                        "4");
    assert_string_equal(
        eval(*state, "table.sort({ 1, 2 }, function(a, b) return a - b end)"),
        "t.lua:1: table.sort: the function gave a number; expected true when its first "
        "argument comes before the second, as in a < b");
    assert_string_equal(eval(*state, "table.sort({ 1 }, 5)"),
                        "t.lua:1: sort: argument 2: found a number, expected a function");
}

static void libraries_can_not_be_written(void **state)
{
    const char *SEALED = "t.lua:1: the library's tables can not be changed";
    assert_string_equal(eval(*state, "string.rep = nil"), SEALED);
    assert_string_equal(eval(*state, "math.counter = 1"), SEALED);
    assert_string_equal(eval(*state, "table.insert(math, 1)"), SEALED);
    assert_string_equal(eval(*state, "return ('x').foo"), "nil");
    assert_string_equal(eval(*state, "local s = 'x' s.foo = 1"),
                        "t.lua:1: 's' is a text here, and has no fields to be read");
}

static void too_much_memory_ends_the_run_and_leaves_the_state_usable(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 3; i++) {
        assert_string_equal(eval(f, "local t = {} for i = 1, 1e9 do t[i] = { i } end"),
                            "LIMIT t.lua:1: stopped: out of memory: it needs more than 16 MiB");
        assert_string_equal(eval(f, "local s = ('x'):rep(1024) while true do s = s .. s end"),
                            "LIMIT t.lua:1: stopped: it made a text longer than 1024 KiB");
        assert_string_equal(eval(f, "return 1 + 1"), "2");
        lua_gc(f->sandbox.L, LUA_GCCOLLECT);
        assert_true(f->sandbox.used < MIB);
    }
}

static void a_state_too_small_for_its_library_says_so(void **state)
{
    struct sandbox sb;
    (void)state;

    assert_int_equal(sandbox_init(&sb, 100, &err), ERR_LIMIT);
    assert_string_equal(err.msg, "no memory for a Lua state");
    sandbox_fini(&sb);
}

static void endless_recursion_is_an_error_of_the_rule(void **state)
{
    struct fixture *f = *state;

    sandbox_fini(&f->sandbox);
    open_sandbox(f, 256 * MIB);
    assert_string_equal(eval(f, "local function f() return 1 + f() end return f()"),
                        "t.lua:1: functions call each other too deep; does one call itself "
                        "without an end?");
    assert_string_equal(eval(f, "return 'still here'"), "still here");
}

static int keys_in_lua(lua_State *L)
{
    lua_newtable(L);
    for (int i = 100; i > 0; i--) {
        lua_pushboolean(L, 1);
        lua_rawseti(L, -2, i * 7 % 101);
    }
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "z");
    sandbox_push_keys(L, -1);
    for (int i = 1; i <= 100; i++) {
        lua_rawgeti(L, -1, i);
        if (lua_tointeger(L, -1) != i)
            return luaL_error(L, "place %d has %d", i, (int)lua_tointeger(L, -1));
        lua_pop(L, 1);
    }
    lua_rawgeti(L, -1, 101);
    return strcmp(lua_tostring(L, -1), "z") == 0 ? 0 : luaL_error(L, "texts come last");
}

static void more_keys_than_fit_on_the_stack_are_sorted_too(void **state)
{
    struct fixture *f = *state;
    lua_pushcfunction(f->sandbox.L, keys_in_lua);
    assert_ok(sandbox_call(&f->sandbox, 0, 0, &err));
}

static void few_steps_that_take_long_are_slow(void **state)
{ /* such as comparing long texts */
    struct fixture *f = *state;
    uint64_t before = sandbox_slow_runs();
#ifdef __SANITIZE_THREAD__
    skip(); /* no timer ticks there */
#endif
    assert_string_equal(eval(f, "local t, u = 'x', 'x' for i = 1, 18 do t = t .. t u = u .. u end\n"
                                "local n = 0 for i = 1, 9000 do if t == u then n = n + 1 end end "
                                "return n"),
                        "9000");
    assert_true(sandbox_slow_runs() > before);
}

#define SANDBOX_CASE(fn) CASE_WITH(fn, setup, teardown)
TEST_MAIN(SANDBOX_CASE(what_was_taken_out_is_unknown), SANDBOX_CASE(what_is_there_works),
          SANDBOX_CASE(an_error_names_file_and_line), SANDBOX_CASE(bytecode_is_refused),
          SANDBOX_CASE(string_rep_is_bounded_also_of_nothing),
          SANDBOX_CASE(string_find_looks_for_plain_text),
          SANDBOX_CASE(string_format_shows_no_address),
          SANDBOX_CASE(what_is_no_single_value_has_no_text),
          SANDBOX_CASE(pairs_walks_numbers_and_then_texts_in_their_order),
          SANDBOX_CASE(sorting_is_stable_and_an_error_leaves_the_table_as_it_was),
          SANDBOX_CASE(libraries_can_not_be_written),
          SANDBOX_CASE(too_much_memory_ends_the_run_and_leaves_the_state_usable),
          CASE(a_state_too_small_for_its_library_says_so),
          SANDBOX_CASE(endless_recursion_is_an_error_of_the_rule),
          SANDBOX_CASE(more_keys_than_fit_on_the_stack_are_sorted_too),
          SANDBOX_CASE(few_steps_that_take_long_are_slow))
