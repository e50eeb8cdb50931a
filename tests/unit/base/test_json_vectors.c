/* test_json_vectors.c - JSONTestSuite: what must be read is read, what must not be is refused. */
#include "tests/unit/vectors.h"

#include <sodium.h>

/* Refused on purpose; tests/conformance/README.md says why. */
static const char *const REFUSED[] = {
    "y_object_duplicated_key.json",
    "y_object_duplicated_key_and_value.json",
    "y_object_escaped_null_in_key.json",
};

/* The bytes that one member of the container stands for. */
static void unpack(struct buf *out, const struct json *file)
{
    const struct json *text = json_get(file, "text");
    const struct json *base64 = json_get(file, "base64");
    const struct json *repeat = json_get(file, "repeat");
    const struct json *then = json_get(file, "then");

    buf_reset(out);
    if (text) {
        buf_add(out, text->as.string, text->len);
    } else if (base64) {
        unsigned char bytes[4096];
        size_t len = 0;
        assert_int_equal(sodium_base642bin(bytes, sizeof(bytes), base64->as.string, base64->len,
                                           NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL),
                         0);
        buf_add(out, bytes, len);
    } else {
        assert_non_null(repeat);
        for (int64_t i = 0; i < json_get(file, "times")->as.integer; i++)
            buf_add(out, repeat->as.string, repeat->len);
    }
    if (then)
        buf_add(out, then->as.string, then->len);
}

static bool is_refused_on_purpose(const char *name)
{
    for (size_t i = 0; i < sizeof(REFUSED) / sizeof(REFUSED[0]); i++) {
        if (strcmp(name, REFUSED[i]) == 0)
            return true;
    }
    return false;
}

static void every_file_of_the_suite_is_decided_right(void **state)
{
    (void)state;
    struct arena container = { 0 }, arena = { 0 };
    struct buf bytes = { 0 };
    const struct json *value;
    int decided = 0;

    const struct json *files = read_vectors(&container, "jsontestsuite.json");
    for (const struct json *file = files->as.first; file; file = file->next, decided++) {
        unpack(&bytes, file);
        arena_reset(&arena);
        enum err_code rc = json_parse(&value, &arena, buf_cstr(&bytes), bytes.len, 1000, &err);
        bool must_pass = file->name[0] == 'y' && !is_refused_on_purpose(file->name);
        bool must_fail = file->name[0] == 'n' || is_refused_on_purpose(file->name);
        if (must_pass && rc != OK)
            fail_msg("%s was refused: %s", file->name, err.msg);
        if (must_fail && rc == OK)
            fail_msg("%s was accepted", file->name);
        if (rc != OK)
            assert_true(rc == ERR_LIMIT || strncmp(err.msg, "line ", 5) == 0);
    }
    assert_int_equal(decided, 318);
    buf_fini(&bytes);
    arena_fini(&arena);
    arena_fini(&container);
}

static void a_byte_order_mark_is_refused_by_name(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    const struct json *value;

    assert_int_equal(json_parse(&value, &arena, "\xef\xbb\xbf{}", 5, 8, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "byte order mark"));
    arena_fini(&arena);
}

TEST_MAIN(CASE(every_file_of_the_suite_is_decided_right),
          CASE(a_byte_order_mark_is_refused_by_name))
