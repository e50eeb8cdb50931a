/*
 * test_json_roads.c - the fast road gives what the strict road gives, or nothing.
 *
 * Random texts, most of them damaged: PATHWAY_SEED repeats or varies a run, PATHWAY_TEXTS its
 * length.
 */
#include "tests/unit/vectors.h"

#include "base/json_roads.h"

#define SEED  20261127u
#define TEXTS 15000
#define DEPTH 12 /* levels that are allowed; some texts have more */

static uint64_t random_state;

/* xorshift: the same everywhere. */
static uint32_t any(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 20) % below;
}

static bool one_in(uint32_t n)
{
    return any(n) == 0;
}

/* -- texts ----------------------------------------------------------------------------------- */

static const char *const STRINGS[] = {
    "",
    "a",
    "ab",
    "time",
    "specversion",
    "school/2000001",
    "\\n",
    "\\u0000",
    "\\u00e9",
    "\\ud83d\\ude00",
    "\\ud800",
    "\\udc00",
    "\\ud800a",
    "\\uD8",
    "\\/",
    "\\x",
    "\xc3\xa9",
    "\xf0\x9f\x98\x80",
    "\xff",
    "\xc0\x80",
    "\xed\xa0\x80",
    "\x1f",
    "\x7f",
    "\xef\xbf\xbf",
    "\\\"",
    "\\\\",
    "\t",
    "a long one, beyond what is looked at in one step",
};
static const char *const NUMBERS[] = {
    "0",
    "-0",
    "-0.0",
    "1",
    "-1",
    "12",
    "1.5",
    "0.1",
    "1e2",
    "1E-2",
    "1e18",
    "1e19",
    "1e400",
    "-1e400",
    "1e-400",
    "5e-324",
    "2.2250738585072011e-308",
    "9007199254740993",
    "9007199254740993.0",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "123456789012345678901234567890",
    "0.30000000000000004",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "01",
    "1.",
    ".5",
    "-",
    "+1",
    "1e",
    "0e5",
    "0x1",
    "NaN",
    "Infinity",
    "100000000000000000000000.5",
    "9223372036854775807.5",
    "-9223372036854775808.0",
};
static const char *const TOKENS[] = {
    "[",  "]",    "{",     "}",    ",",        ":",   "\"",
    "\\", "true", "false", "null", "tru",      "nul", "\xef\xbb\xbf",
    " ",  "\n",   "\r",    "\t",   "\f",       "\v",  "\xc2\xa0",
    "1",  "e5",   ".",     "-",    "\"a\":1,", "//",  "/**/",
    "'",
};
#define PICK(list) (list)[any(sizeof(list) / sizeof((list)[0]))]

static void add_space(struct buf *b)
{
    if (one_in(8))
        buf_str(b, PICK(((const char *const[]){ " ", "\n", "\t", "\r\n", "  " })));
}

static void add_string(struct buf *b)
{
    buf_char(b, '"');
    for (uint32_t n = any(3); n > 0; n--) /* most are sound */
        buf_str(b, one_in(6) ? PICK(STRINGS) : STRINGS[any(6)]);
    buf_char(b, '"');
}

static void add_number(struct buf *b)
{
    if (one_in(3))
        buf_str(b, PICK(NUMBERS));
    else if (one_in(2))
        buf_printf(b, "%d", (int)any(100000) - 50000);
    else
        buf_printf(b, "%s%u.%ue%d", one_in(2) ? "-" : "", any(1000), any(UINT32_MAX),
                   (int)any(640) - 330);
}

static void add_value(struct buf *b, int depth);

static void add_items(struct buf *b, int depth, bool are_named)
{
    uint32_t count = one_in(40) ? 60 + any(20) : any(6);

    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(b, ',');
        add_space(b);
        if (are_named && one_in(3))
            add_string(b);
        else if (are_named)
            buf_printf(b, "\"name%u\"", one_in(20) ? 0 : i);
        if (are_named)
            buf_char(b, ':');
        add_value(b, depth + 1);
    }
}

static void add_value(struct buf *b, int depth)
{
    uint32_t kind = any(depth > DEPTH ? 4 : 7);

    add_space(b);
    if (kind == 0) {
        buf_str(b, PICK(((const char *const[]){ "true", "false", "null" })));
    } else if (kind == 1) {
        add_number(b);
    } else if (kind < 4) {
        add_string(b);
    } else {
        bool is_object = kind > 4;
        buf_char(b, is_object ? '{' : '[');
        if (depth <= DEPTH && !one_in(6))
            add_items(b, depth, is_object);
        add_space(b);
        buf_char(b, is_object ? '}' : ']');
    }
    add_space(b);
}

/* Damage it a little, or a lot; sometimes not at all. */
static void damage(struct buf *text, const struct buf *other)
{
    struct buf out = { 0 };

    for (uint32_t n = any(4); n > 0; n--) {
        size_t at = text->len > 0 ? any((uint32_t)text->len) : 0, rest = text->len - at;
        size_t cut = rest > 0 ? any((uint32_t)(rest < 9 ? rest : 9) + 1) : 0;
        uint32_t way = any(6);
        buf_reset(&out);
        buf_add(&out, text->data, at);
        if (way == 0)
            buf_char(&out, (char)any(256));
        else if (way == 1)
            buf_str(&out, PICK(TOKENS));
        else if (way == 2)
            buf_str(&out, PICK(NUMBERS));
        else if (way == 3)
            buf_str(&out, PICK(STRINGS));
        else if (way == 4 && other->len > 0)
            buf_add(&out, other->data, any((uint32_t)other->len) + 1);
        if (way > 1 || one_in(2))
            cut = way == 5 ? cut : 0; /* else something stands in the place of what was cut */
        if (rest > cut)
            buf_add(&out, text->data + at + cut, rest - cut);
        struct buf spare = *text;
        *text = out;
        out = spare;
    }
    buf_fini(&out);
}

/* -- comparing ------------------------------------------------------------------------------- */

static bool same(const struct json *a, const struct json *b)
{
    if (!a || !b)
        return a == b;
    if (a->type != b->type || a->len != b->len || !a->name != !b->name || !a->next != !b->next ||
        (a->name && strcmp(a->name, b->name) != 0))
        return false;
    switch (a->type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return a->as.boolean == b->as.boolean;
    case JSON_INT:
        return a->as.integer == b->as.integer;
    case JSON_REAL:
        return memcmp(&a->as.real, &b->as.real, sizeof(a->as.real)) == 0;
    case JSON_STRING: /* with its NUL */
        return memcmp(a->as.string, b->as.string, a->len + 1) == 0;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    const struct json *right = b->as.first;
    for (const struct json *left = a->as.first; left; left = left->next, right = right->next) {
        if (!right || !same(left, right))
            return false;
    }
    return right == NULL;
}

static void show(const struct buf *text)
{
    for (size_t i = 0; i < text->len; i++)
        print_message(text->data[i] > 0x1f && text->data[i] < 0x7f ? "%c" : "\\x%02x",
                      (unsigned char)text->data[i]);
    print_message("\n");
}

/* True when the fast road knew it. The text has its exact size, so that reading on is seen. */
static bool both_agree(const struct buf *text)
{
    struct arena arena = { 0 };
    struct err said = { 0 };
    const struct json *strict = NULL, *fast, *either = NULL;
    char *exact = malloc(text->len > 0 ? text->len : 1);

    assert_non_null(exact);
    memcpy(exact, buf_cstr(text), text->len);
    enum err_code rc = json_strict(&strict, &arena, exact, text->len, DEPTH, &said);
    fast = json_fast(&arena, exact, text->len, DEPTH);
    enum err_code again = json_parse(&either, &arena, exact, text->len, DEPTH, &err);
    bool agree = again == rc && same(either, strict) && (!fast || same(fast, strict)) &&
                 (rc == OK || strcmp(err.msg, said.msg) == 0);
    if (!agree) {
        show(text);
        fail_msg("the roads part: strict %d \"%s\", either %d \"%s\", fast %s", (int)rc, said.msg,
                 (int)again, err.msg, fast ? "takes it" : "does not know");
    }
    free(exact);
    arena_fini(&arena);
    return fast != NULL;
}

/* -- the claims ------------------------------------------------------------------------------ */

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void random_texts_are_read_alike(void **state)
{
    (void)state;
    uint64_t seed = number_from("PATHWAY_SEED", SEED), texts = number_from("PATHWAY_TEXTS", TEXTS);
    struct buf text = { 0 }, other = { 0 };
    size_t taken = 0;

    print_message("PATHWAY_SEED=%llu\n", (unsigned long long)seed);
    random_state = seed * 0x9e3779b97f4a7c15u + 1;
    for (uint64_t i = 0; i < texts; i++) {
        buf_reset(&text);
        add_value(&text, 1);
        if (!one_in(3))
            damage(&text, &other);
        taken += both_agree(&text);
        struct buf spare = other;
        other = text;
        text = spare;
    }
    print_message("the fast road took %zu of %llu\n", taken, (unsigned long long)texts);
    assert_true(taken > texts / 5); /* else nothing was compared */
    buf_fini(&text);
    buf_fini(&other);
}

static void damaged_vectors_are_read_alike(void **state)
{
    (void)state;
    struct arena container = { 0 };
    struct buf text = { 0 }, other = { 0 };
    const struct json *files = read_vectors(&container, "jsontestsuite.json");

    random_state = number_from("PATHWAY_SEED", SEED);
    for (const struct json *file = files->as.first; file; file = file->next) {
        const struct json *bytes = json_get(file, "text");
        for (int i = 0; bytes && i < 40; i++) {
            buf_reset(&text);
            buf_add(&text, bytes->as.string, bytes->len);
            if (i > 0)
                damage(&text, &other);
            (void)both_agree(&text);
        }
    }
    buf_fini(&text);
    buf_fini(&other);
    arena_fini(&container);
}

static bool takes(const char *text)
{
    struct buf b = { 0 };
    buf_str(&b, text);
    bool taken = both_agree(&b);
    buf_fini(&b);
    return taken;
}

static void the_fast_road_takes_what_events_are_made_of(void **state)
{
    (void)state;
    assert_true(
        takes("{\"id\":\"e1\",\"data\":{\"half_term\":3,\"share\":0.5,\"note\":\"a\\nb\\u00e9\","
              "\"attendance\":{\"school/100001\":[\"t1\"],\"school/100002\":[]},"
              "\"observation\":true,\"none\":null}}"));
    assert_true(takes("7"));
    assert_true(takes(" [1.0, -0.0, 1e2] "));
}

static void the_fast_road_leaves_doubts_to_the_strict_one(void **state)
{
    (void)state;
    assert_false(takes("{\"a\":1,\"a\":2}"));
    assert_false(takes("{\"a\":1,\"\\u0061\":2}"));
    assert_false(takes("{\"a\\u0000\":1}"));
    assert_false(takes("9223372036854775808"));
    assert_false(takes("[[[[[[[[[[[[[1]]]]]]]]]]]]]"));
    assert_false(takes("\xef\xbb\xbf{}"));
    assert_false(takes(""));
}

/* What a thread keeps must not be asked for more than it holds. */
static void long_texts_are_read_alike(void **state)
{
    (void)state;
    struct buf text = { 0 };

    for (size_t size = 100; size < 2000000; size = size * 5 / 2) {
        buf_reset(&text);
        buf_char(&text, '[');
        while (text.len < size)
            buf_str(&text, "\"\",\"ab\",[],{\"x\":1},");
        buf_str(&text, "0]");
        assert_true(both_agree(&text));
        text.data[text.len - 1] = '}';
        assert_false(both_agree(&text));
    }
    buf_fini(&text);
}

TEST_MAIN(CASE(random_texts_are_read_alike), CASE(damaged_vectors_are_read_alike),
          CASE(the_fast_road_takes_what_events_are_made_of),
          CASE(the_fast_road_leaves_doubts_to_the_strict_one), CASE(long_texts_are_read_alike))
