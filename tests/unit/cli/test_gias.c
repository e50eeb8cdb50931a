/* test_gias.c - rows of the schools register, with the quirks that its extracts have. */
#include "tests/unit/base/fixture.h"

#include "base/civil.h"
#include "cli/gias.h"
#include "cli/gias_phase.h"
#include "cli/hubs.h"

static void numbers_survive_what_spreadsheets_do(void **state)
{
    (void)state;
    char out[GIAS_NUMBER_TEXT];
    assert_true(gias_number(out, "850", 3));
    assert_string_equal(out, "850");
    assert_true(gias_number(out, " 850.0 ", 3));
    assert_string_equal(out, "850");
    assert_true(gias_number(out, "1", 3));
    assert_string_equal(out, "001");
    assert_true(gias_number(out, "0", 1));
    assert_string_equal(out, "0");
    static const char *const BAD[] = { "",    " ",    "x",           "12a", "-1",
                                       "1.5", "1.05", "99999999999", "1 2" };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_false(gias_number(out, BAD[i], 1));
}

static void dates_come_in_three_forms_and_1900_is_none(void **state)
{
    (void)state;
    int32_t day;
    static const char *const GOOD[] = { "01-09-2012", "01/09/2012", "2012-09-01",
                                        "2012-09-01 00:00:00", "2012-09-01T00:00:00" };
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
        assert_true(gias_date(&day, GOOD[i]));
        assert_int_equal(day, day_from_ymd(2012, 9, 1));
    }
    static const char *const BAD[] = { "",           "01-01-1900", "1900-01-01", "31-02-2012",
                                       "32-01-2012", "2012",       "x",          "01-13-2012",
                                       "1-2",        "01-09-2012x" };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_false(gias_date(&day, BAD[i]));
}

static void the_date_of_an_extract_is_in_its_name(void **state)
{
    (void)state;
    int32_t day;
    assert_true(gias_date_of_name(&day, "/data/20200101/edubasealldata20250422.csv"));
    assert_int_equal(day, day_from_ymd(2025, 4, 22));
    assert_false(gias_date_of_name(&day, "schools_202203.csv"));
    assert_false(gias_date_of_name(&day, "schools_20229999.csv"));
    assert_false(gias_date_of_name(&day, "/data/20200101/schools.csv"));
}

static const char *phase(const char *code, const char *name, int low, int high)
{
    const struct gias_kind kind = { code, name, "1", "Community school", "4", "", low, high };
    return gias_phase(&kind);
}

static void primary_hides_infant_junior_and_first(void **state)
{
    (void)state;
    assert_string_equal(phase("2", "Primary", 4, 11), "primary");
    assert_string_equal(phase("2", "Primary", 4, 7), "infant");
    assert_string_equal(phase("2", "Primary", 7, 11), "junior");
    assert_string_equal(phase("", "Primary", 5, 9), "first");
    assert_string_equal(phase("2", "", 5, 8), "first");
    assert_string_equal(phase("2", "Primary", -1, -1), "primary");
    assert_string_equal(phase("2", "Primary", 5, 10), "primary");
}

static void each_phase_of_the_register_has_a_word(void **state)
{
    (void)state;
    assert_string_equal(phase("0", "Not applicable", 5, 11), "other");
    assert_string_equal(phase("1", "Nursery", 3, 5), "nursery");
    assert_string_equal(phase("3", "Middle deemed primary", 8, 12), "middle");
    assert_string_equal(phase("4", "Secondary", 11, 16), "secondary");
    assert_string_equal(phase("5", "Middle deemed secondary", 9, 13), "secondary");
    assert_string_equal(phase("6", "16 plus", 16, 19), "other");
    assert_string_equal(phase("7", "All-through", 4, 18), "all_through");
    assert_string_equal(phase("", "All Through", 4, 18), "all_through");
    assert_string_equal(phase("", "Middle Deemed Primary", 8, 12), "middle");
    assert_string_equal(phase("2.0", "", 4, 7), "infant");
    assert_null(phase("9", "", 4, 7));
    assert_null(phase("", "Unheard of", 4, 7));
}

static void a_special_school_is_special_whatever_its_phase(void **state)
{
    (void)state;
    static const struct gias_kind SPECIAL[] = {
        { "0", "", "7", "", "", "", 4, 11 },
        { "2", "Primary", "44", "", "10", "Academies", 4, 11 },
        { "", "Primary", "", "Academy special converter", "", "Academies", 4, 11 },
        { "", "Not applicable", "", "", "5", "", 4, 11 },
        { "", "Not applicable", "", "", "", "Special schools", 4, 11 },
    };
    for (size_t i = 0; i < sizeof(SPECIAL) / sizeof(SPECIAL[0]); i++)
        assert_string_equal(gias_phase(&SPECIAL[i]), "special");
    const struct gias_kind college = {
        "6", "", "", "Special post 16 institution", "9", "", 16, 25
    };
    assert_string_equal(gias_phase(&college), "other");
}

static void the_code_of_a_status_wins_over_its_name(void **state)
{
    (void)state;
    assert_string_equal(gias_status("1", ""), "open");
    assert_string_equal(gias_status("2", "Open"), "closed");
    assert_string_equal(gias_status("", "Open, but proposed to close"), "proposed_to_close");
    assert_string_equal(gias_status("4.0", ""), "proposed_to_open");
    assert_null(gias_status("10", "Created in error"));
    assert_null(gias_status("", ""));
}

static const char *const HEADER[] = {
    "URN",      "EstablishmentName", "EstablishmentStatus (name)", "PhaseOfEducation (name)",
    "Postcode", "NumberOfPupils"
};
#define COLUMNS 6

static enum left_out read_row(struct school *out, struct arena *arena, const char *const *fields,
                              int count, char why[WHY_TEXT])
{
    const struct csv_row header = { 1, HEADER, COLUMNS }, row = { 2, fields, count };
    struct gias_columns columns;
    assert_ok(gias_columns_find(&columns, &header, "x.csv", &err));
    return gias_read(out, arena, &columns, &row, why);
}

static void a_row_is_read_or_says_why_not(void **state)
{
    (void)state;
    struct arena arena = { 0 };
    struct school s;
    char why[WHY_TEXT];
    const char *good[COLUMNS] = { "100001",    "  Two\r\nlines \t here ",
                                  "Open",      "Primary",
                                  "gu34  1dh", "12.0" };
    assert_int_equal(read_row(&s, &arena, good, COLUMNS, why), LEFT_OUT_NOT);
    assert_string_equal(s.urn, "100001");
    assert_string_equal(s.values[FIELD_NAME], "Two lines here");
    assert_string_equal(s.values[FIELD_POSTCODE], "GU34 1DH");
    assert_string_equal(s.values[FIELD_PUPILS], "12");
    assert_null(s.values[FIELD_LA]);
    assert_false(s.has_open_day);

    assert_int_equal(read_row(&s, &arena, good, 5, why), LEFT_OUT_FIELDS);
    assert_string_equal(why, "5 fields where the header has 6");
    static const struct {
        int column;
        const char *text;
        enum left_out expected;
    } BAD[] = { { 0, "", LEFT_OUT_NO_URN },
                { 0, "unknown", LEFT_OUT_NO_URN },
                { 1, " \n", LEFT_OUT_NAME },
                { 2, "", LEFT_OUT_STATUS },
                { 3, "Unheard", LEFT_OUT_PHASE } };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        const char *row[COLUMNS];
        memcpy(row, good, sizeof(row));
        row[BAD[i].column] = BAD[i].text;
        assert_int_equal(read_row(&s, &arena, row, COLUMNS, why), BAD[i].expected);
        assert_true(why[0] != '\0');
    }
    arena_fini(&arena);
}

static void columns_that_must_be_there_are_named(void **state)
{
    (void)state;
    struct gias_columns columns;
    const char *const fields[] = { "URN", "LinkURN" };
    const struct csv_row header = { 1, fields, 2 };
    assert_int_equal(gias_columns_find(&columns, &header, "links.csv", &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "links.csv"));
    assert_non_null(strstr(err.msg, "EstablishmentName EstablishmentStatus"));
}

static enum err_code load_hubs(struct hubs *hubs, const char *text)
{
    hubs_fini(hubs);
    *hubs = (struct hubs){ 0 };
    enum err_code rc = hubs_load(hubs, file_of(text, strlen(text)), &err);
    remove_file(NULL);
    return rc;
}

static void a_schools_own_hub_wins_over_that_of_its_authority(void **state)
{
    (void)state;
    struct hubs hubs = { 0 };
    assert_int_equal(load_hubs(&hubs, "hub,code\r\n07,850\r\n08,850.0\r\n"), ERR_INPUT);
    assert_non_null(strstr(err.msg, "'08'"));
    assert_ok(load_hubs(&hubs, "hub,code\r\n07,850\r\n07,850\r\nsouth-1,115850\r\n"));
    assert_string_equal(hubs_find(&hubs, "115851", "850"), "07");
    assert_string_equal(hubs_find(&hubs, "115850", "850"), "south-1");
    assert_null(hubs_find(&hubs, "1", "851"));
    assert_null(hubs_find(&hubs, "1", NULL));
    static const char *const BAD[] = { "a,b\n850,07\n", "code,hub\n85000,07\n",
                                       "code,hub\nHants,07\n", "code,hub\n850,\n",
                                       "code,hub\n850,no/slash\n" };
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        assert_int_equal(load_hubs(&hubs, BAD[i]), ERR_INPUT);
    hubs_fini(&hubs);
}

TEST_MAIN(CASE(numbers_survive_what_spreadsheets_do),
          CASE(dates_come_in_three_forms_and_1900_is_none),
          CASE(the_date_of_an_extract_is_in_its_name), CASE(primary_hides_infant_junior_and_first),
          CASE(each_phase_of_the_register_has_a_word),
          CASE(a_special_school_is_special_whatever_its_phase),
          CASE(the_code_of_a_status_wins_over_its_name), CASE(a_row_is_read_or_says_why_not),
          CASE(columns_that_must_be_there_are_named),
          CASE(a_schools_own_hub_wins_over_that_of_its_authority))
