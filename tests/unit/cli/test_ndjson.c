/* test_ndjson.c - every line of a file comes out once, in order, with its number. */
#include "tests/unit/harness.h"

#include "cli/ndjson.h"

static struct ndjson *reader;
static FILE *in;
static struct batch batch;

static void open_bytes(const char *bytes, size_t len)
{
    in = tmpfile();
    assert_non_null(in);
    assert_int_equal(fwrite(bytes, 1, len, in), len);
    rewind(in);
    assert_ok(ndjson_open(&reader, in, "events.ndjson", &err));
}

static void open_text(const char *text)
{
    open_bytes(text, strlen(text));
}

static int close_all(void **state)
{
    (void)state;
    ndjson_close(reader);
    if (in)
        fclose(in);
    batch_fini(&batch);
    reader = NULL;
    in = NULL;
    return 0;
}

static void next(uint32_t max_events, size_t max_bytes)
{
    assert_ok(ndjson_next(&batch, reader, max_events, max_bytes, &err));
}

static void splits_after_so_many_events(void **state)
{
    (void)state;
    open_text("a\nb\nc\n");
    next(2, 1000);
    assert_int_equal(batch.count, 2);
    assert_string_equal(buf_cstr(&batch.body), "a\nb\n");
    assert_string_equal(batch.file, "events.ndjson");
    next(2, 1000);
    assert_string_equal(buf_cstr(&batch.body), "c\n");
    assert_int_equal(batch.lines[0], 3);
    next(2, 1000);
    assert_int_equal(batch.count, 0);
    next(2, 1000);
    assert_int_equal(batch.count, 0);
}

static void splits_at_line_ends_before_so_many_bytes(void **state)
{
    (void)state;
    open_text("aaaa\nbb\ncccccccccccc\nd\n");
    next(10, 8);
    assert_string_equal(buf_cstr(&batch.body), "aaaa\nbb\n");
    next(10, 8); /* longer than allowed, alone */
    assert_string_equal(buf_cstr(&batch.body), "cccccccccccc\n");
    next(10, 8);
    assert_string_equal(buf_cstr(&batch.body), "d\n");
    assert_int_equal(batch.lines[0], 4);
}

static void skips_the_mark_and_empty_lines_and_takes_crlf(void **state)
{
    (void)state;
    open_text("\xEF\xBB\xBF{}\r\n\r\n \t\r\n\n[]\r\nlast");
    next(10, 1000);
    assert_string_equal(buf_cstr(&batch.body), "{}\n[]\nlast\n");
    assert_int_equal(batch.lines[0], 1);
    assert_int_equal(batch.lines[1], 5);
    assert_int_equal(batch.lines[2], 6);
}

static void an_empty_file_has_no_batch(void **state)
{
    (void)state;
    open_text("\xEF\xBB\xBF\n");
    next(10, 1000);
    assert_int_equal(batch.count, 0);
}

static void a_nul_byte_stays_in_its_line(void **state)
{
    (void)state;
    open_bytes("a\0b\n\0\n", 6);
    next(10, 1000);
    assert_int_equal(batch.count, 2);
    assert_memory_equal(batch.body.data, "a\0b\n\0\n", 6);
}

static void a_line_without_end_is_refused_before_memory_ends(void **state)
{
    (void)state;
    size_t len = LINE_BYTES_MAX + 2;
    char *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, 'x', len);
    bytes[1] = '\n';
    open_bytes(bytes, len);
    free(bytes);
    next(1, 1000);
    assert_int_equal(batch.count, 1);
    assert_ok(ndjson_next(&batch, reader, 1, 1000, &err)); /* exactly the limit */
    close_all(NULL);

    len = LINE_BYTES_MAX + 1;
    bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, 'x', len);
    open_bytes(bytes, len);
    free(bytes);
    assert_int_equal(ndjson_next(&batch, reader, 1, 1000, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "events.ndjson:1"));
}

/* Whatever the limits, the batches put together are the lines that are not empty, with their
 * numbers. */
static void batches_together_are_the_file(void **state)
{
    (void)state;
    unsigned seed = 20261124;
    print_message("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 200; round++) {
        struct buf file = { 0 }, expected = { 0 }, seen = { 0 };
        int lines = rand() % 40;
        for (int i = 1; i <= lines; i++) {
            int len = rand() % 4 ? rand() % 30 : 0;
            for (int j = 0; j < len; j++)
                buf_char(&file, 'x');
            if (len) {
                buf_printf(&expected, "%d:", i);
                for (int j = 0; j < len; j++)
                    buf_char(&expected, 'x');
                buf_char(&expected, '\n');
            }
            buf_str(&file, rand() % 2 ? "\n" : "\r\n");
        }
        open_bytes(buf_cstr(&file), file.len);
        do {
            next((uint32_t)(rand() % 5 + 1), (size_t)(rand() % 60 + 1));
            const char *at = batch.body.data;
            for (uint32_t i = 0; i < batch.count; i++) {
                const char *end = strchr(at, '\n');
                buf_printf(&seen, "%lld:%.*s\n", (long long)batch.lines[i], (int)(end - at), at);
                at = end + 1;
            }
        } while (batch.count);
        assert_int_equal(ndjson_bytes(reader), file.len);
        assert_string_equal(buf_cstr(&seen), buf_cstr(&expected));
        close_all(NULL);
        buf_fini(&file);
        buf_fini(&expected);
        buf_fini(&seen);
    }
}

#define READS(fn) CASE_WITH(fn, NULL, close_all)
TEST_MAIN(READS(splits_after_so_many_events), READS(splits_at_line_ends_before_so_many_bytes),
          READS(skips_the_mark_and_empty_lines_and_takes_crlf), READS(an_empty_file_has_no_batch),
          READS(a_nul_byte_stays_in_its_line),
          READS(a_line_without_end_is_refused_before_memory_ends),
          READS(batches_together_are_the_file))
