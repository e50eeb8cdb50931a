/* test_log.c - lines as they arrive at standard error; and the clock that dates them. */
#include "tests/unit/harness.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/log.h"

/* What `say` writes to standard error, under the journal or not. */
static const char *captured(void (*say)(void), bool is_journal)
{
    static char out[8192];
    char stream[64];
    struct stat st;
    int saved = dup(STDERR_FILENO);
    FILE *file = tmpfile();

    fstat(fileno(file), &st);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino + !is_journal);
    setenv("JOURNAL_STREAM", stream, 1);
    dup2(fileno(file), STDERR_FILENO);
    say();
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    out[fread(out, 1, sizeof(out) - 1, file)] = '\0';
    fclose(file);
    unsetenv("JOURNAL_STREAM");
    return out;
}

static void say_each(void)
{
    log_err("a: one");
    log_warn("b: two");
    log_info("c: n=%d", 3);
    log_debug("d: four");
}

static void say_two_lines(void)
{
    log_info("name=%s", "x\nfeed: forged");
}

static void say_much(void)
{
    static char text[9000];
    memset(text, 'x', sizeof(text) - 1);
    log_info("%s", text);
}

static void under_the_journal_each_line_starts_with_its_priority(void **state)
{
    (void)state;
    log_set_level(LOG_DEBUG);
    assert_string_equal(captured(say_each, true), "<3>a: one\n<4>b: two\n<6>c: n=3\n<7>d: four\n");
}

static void the_level_leaves_out_what_is_below(void **state)
{
    (void)state;
    log_set_level(LOG_WARN);
    assert_string_equal(captured(say_each, true), "<3>a: one\n<4>b: two\n");
    log_set_level(LOG_INFO);
}

static void elsewhere_it_starts_with_time_and_level(void **state)
{
    (void)state;
    const char *line = captured(say_two_lines, false);
    int64_t t;
    assert_ok(time_parse(&t, line, TIME_TEXT - 1, &err));
    assert_string_equal(line + TIME_TEXT - 1, " info name=x feed: forged\n");
}

static void a_long_line_is_cut(void **state)
{
    (void)state;
    const char *line = captured(say_much, true);
    assert_int_equal(strlen(line), 4096);
    assert_int_equal(line[4095], '\n');
}

static void levels_have_names(void **state)
{
    (void)state;
    enum log_level level;
    assert_true(log_level_parse(&level, "debug") && level == LOG_DEBUG);
    assert_true(log_level_parse(&level, "err") && level == LOG_ERR);
    assert_false(log_level_parse(&level, "error"));
}

static void a_fixed_clock_stands_still(void **state)
{
    (void)state;
    struct clock c;
    clock_init_fixed(&c, 42);
    assert_int_equal(clock_now(&c), 42);
    clock_init_real(&c);
    assert_true(clock_now(&c) > 1700000000 * US_PER_S);
    int64_t before = clock_monotonic();
    assert_true(clock_monotonic() >= before);
}

TEST_MAIN(CASE(under_the_journal_each_line_starts_with_its_priority),
          CASE(the_level_leaves_out_what_is_below), CASE(elsewhere_it_starts_with_time_and_level),
          CASE(a_long_line_is_cut), CASE(levels_have_names), CASE(a_fixed_clock_stands_still))
