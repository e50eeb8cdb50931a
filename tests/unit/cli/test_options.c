/* test_options.c - one table reads every command's arguments and prints its help. */
#include "tests/unit/harness.h"

#include "base/buf.h"
#include "base/civil.h"
#include "cli/options.h"

static const struct option_spec OPTIONS[] = {
    OPTION_AT, OPTION_FORMAT, { "batch", "N", "how many" }, OPTION_END
};
static const struct command SAMPLE = {
    .name = "sample",
    .operands = "SUBJECT",
    .summary = "a sample",
    .help = "Does nothing.",
    .example = "pathway sample school/1",
    .no = "it said no",
    .options = OPTIONS,
    .min_operands = 1,
    .max_operands = 2,
    .asks = true,
};

#define PARSE(args, ...) parse(args, (const char *[]){ "pathway", __VA_ARGS__, NULL })

static enum err_code parse(struct args *args, const char **argv)
{
    static char *kept[16]; /* args points into it */
    int argc = 0;
    for (; argv[argc]; argc++)
        kept[argc] = (char *)argv[argc]; /* getopt moves the pointers, not the text */
    kept[argc] = NULL;
    return args_parse(args, &SAMPLE, argc, kept, &err);
}

static void options_and_operands_may_be_mixed(void **state)
{
    (void)state;
    struct args args;
    assert_ok(PARSE(&args, "school/1", "--at", "2026-01-01", "-", "--json", "--batch=7"));
    assert_int_equal(args.operand_count, 2);
    assert_string_equal(args.operands[0], "school/1");
    assert_string_equal(args.operands[1], "-");
    assert_string_equal(args_text(&args, "at"), "2026-01-01");
    assert_true(args_flag(&args, "json"));
    assert_null(args_text(&args, "url"));
    int64_t n;
    assert_ok(args_number(&n, &args, "batch", 1, 10, 3, &err));
    assert_int_equal(n, 7);
}

static void an_unknown_option_gets_the_nearest(void **state)
{
    (void)state;
    struct args args;
    assert_int_equal(PARSE(&args, "x", "--databse", "f"), ERR_INPUT);
    assert_non_null(strstr(err.msg, "--databse"));
    assert_non_null(strstr(err.msg, "did you mean --database?"));
    assert_int_equal(PARSE(&args, "x", "--qqq=1"), ERR_INPUT);
    assert_null(strstr(err.msg, "did you mean"));
    assert_int_equal(PARSE(&args, "x", "-z"), ERR_INPUT);
}

static void missing_values_and_operands_are_told(void **state)
{
    (void)state;
    struct args args;
    assert_int_equal(PARSE(&args, "x", "--at"), ERR_INPUT);
    assert_non_null(strstr(err.msg, "needs a value"));
    assert_int_equal(PARSE(&args, "--json"), ERR_INPUT);
    assert_non_null(strstr(err.msg, "needs SUBJECT"));
    assert_int_equal(PARSE(&args, "a", "b", "third"), ERR_INPUT);
    assert_non_null(strstr(err.msg, "'third'"));
}

static void help_is_given_whatever_else_is_missing(void **state)
{
    (void)state;
    struct args args;
    assert_ok(PARSE(&args, "--help"));
    assert_true(args.wants_help);
}

static void numbers_outside_their_range_are_refused(void **state)
{
    (void)state;
    static const char *const BAD[] = { "0", "11", "x", "", "7x", "99999999999999999999" };
    struct args args;
    int64_t n;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        assert_ok(PARSE(&args, "s", "--batch", BAD[i]));
        assert_int_equal(args_number(&n, &args, "batch", 1, 10, 3, &err), ERR_INPUT);
    }
    assert_ok(PARSE(&args, "s"));
    assert_ok(args_number(&n, &args, "batch", 1, 10, 3, &err));
    assert_int_equal(n, 3);
}

static void a_date_is_its_start_in_london(void **state)
{
    (void)state;
    struct args args;
    int64_t t;
    char text[TIME_TEXT];
    assert_ok(PARSE(&args, "s", "--at", "2026-07-01"));
    assert_ok(args_moment(&t, &args, "at", 0, &err));
    assert_string_equal(time_text(t, text), "2026-06-30T23:00:00.000000Z");
    assert_ok(PARSE(&args, "s", "--at", "yesterday"));
    assert_int_equal(args_check_moments(&args, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "--at"));
}

static void json_means_ndjson_unless_a_format_is_given(void **state)
{
    (void)state;
    struct args args;
    const char *format;
    assert_ok(PARSE(&args, "s", "--json"));
    assert_ok(args_format(&format, &args, &err));
    assert_string_equal(format, "ndjson");
    assert_ok(PARSE(&args, "s", "--json", "--format", "csv"));
    assert_ok(args_format(&format, &args, &err));
    assert_string_equal(format, "csv");
    assert_ok(PARSE(&args, "s", "--format", "xml"));
    assert_int_equal(args_format(&format, &args, &err), ERR_INPUT);
}

static char *help_of(const struct command *command)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    args_print_help(to, command);
    fclose(to);
    return text;
}

static void every_command_explains_itself(void **state)
{
    (void)state;
    for (const struct command *const *c = commands; *c; c++) {
        char *text = help_of(*c);
        assert_non_null(strstr(text, (*c)->example));
        assert_non_null(strstr(text, "0 done"));
        assert_non_null(strstr(text, "--json"));
        assert_true(!strncmp((*c)->example, "pathway ", 8));
        assert_true(!strncmp((*c)->example + 8, (*c)->name, strlen((*c)->name)));
        assert_null(strchr((*c)->summary, '\n'));
        if (strstr(text, "TIME"))
            assert_non_null(strstr(text, "start of that day, Europe/London"));
        free(text);
    }
}

TEST_MAIN(CASE(options_and_operands_may_be_mixed), CASE(an_unknown_option_gets_the_nearest),
          CASE(missing_values_and_operands_are_told), CASE(help_is_given_whatever_else_is_missing),
          CASE(numbers_outside_their_range_are_refused), CASE(a_date_is_its_start_in_london),
          CASE(json_means_ndjson_unless_a_format_is_given), CASE(every_command_explains_itself))
