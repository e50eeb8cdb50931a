/* test_event.c - a valid event and what is made of it; every way to be refused. */
#include "tests/unit/model/fixture.h"

#define HEAD                                                                                       \
    "\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"urn:hub:07\","                             \
    "\"time\":\"2026-11-21T09:30:00.1234567Z\","
#define LEAD_HEAD        HEAD "\"type\":\"lead.named\",\"subject\":\"school/100001\","
#define LEAD_DATA        "\"data\":{\"teacher\":\"t1\"}"
#define LEAD_EVENT(more) "{" LEAD_HEAD more LEAD_DATA "}"

static void assert_refused(const char *text, const char *says)
{
    assert_int_equal(read_event(text), ERR_INPUT);
    assert_says(says);
}

static void a_valid_event_is_taken_apart(void **state)
{
    (void)state;
    assert_ok(read_event(LEAD_EVENT("\"sequence\":\"007\",")));
    assert_int_equal(event.time % 1000000, 123456);
    assert_string_equal(event.id, "e1");
    assert_string_equal(event.source, "urn:hub:07");
    assert_string_equal(event.sequence, "007");
    assert_string_equal(event.subject, "school/100001");
    assert_ptr_equal(event.schema, &TYPES[0]);
    assert_string_equal(json_get(event.data, "teacher")->as.string, "t1");
    assert_string_equal(event.body,
                        "{\"data\":{\"teacher\":\"t1\"},\"id\":\"e1\",\"sequence\":\"007\","
                        "\"source\":\"urn:hub:07\",\"specversion\":\"1.0\","
                        "\"subject\":\"school/100001\",\"time\":\"2026-11-21T09:30:00.1234567Z\","
                        "\"type\":\"lead.named\"}");
    assert_int_equal(event.body_len, strlen(event.body));
    assert_null(event.notes);
    assert_ok(read_event(LEAD_EVENT("")));
    assert_null(event.sequence);
}

static void order_of_members_and_nulls_make_no_difference(void **state)
{
    (void)state;
    assert_ok(read_event(LEAD_EVENT("\"dataschema\":null,\"ext\":null,\"sequence\":null,")));
    const char *body = event.body;
    assert_ok(read_event("{" LEAD_DATA ", " LEAD_HEAD "\"datacontenttype\":null}"));
    assert_string_equal(event.body, body);
}

static void what_it_touches_is_named_once_its_subject_first(void **state)
{
    (void)state;
    assert_ok(read_event("{" HEAD "\"type\":\"group.met\",\"subject\":\"group/g\",\"data\":"
                         "{\"half_term\":1,\"group\":\"group/g\",\"attendance\":"
                         "{\"school/2\":[],\"school/1\":[]}}}"));
    assert_int_equal(event.touch_count, 3);
    assert_string_equal(event.touches[0], "group/g");
    assert_string_equal(event.touches[1], "school/2");
    assert_string_equal(event.touches[2], "school/1");
}

static void many_are_touched_in_order_and_once(void **state)
{
    (void)state;
    struct buf text = { 0 };
    char expected[24];
    buf_str(&text, "{" HEAD "\"type\":\"group.met\",\"subject\":\"group/g\",\"data\":"
                   "{\"half_term\":1,\"attendance\":{");
    for (int i = 0; i < 40; i++)
        buf_printf(&text, "%s\"school/%d\":[]", i > 0 ? "," : "", 2000040 - i);
    buf_str(&text, "},\"group\":\"group/g\"}}");
    assert_ok(read_event(buf_cstr(&text)));
    assert_int_equal(event.touch_count, 41);
    assert_string_equal(event.touches[0], "group/g");
    for (int i = 0; i < 40; i++) {
        snprintf(expected, sizeof(expected), "school/%d", 2000040 - i);
        assert_string_equal(event.touches[i + 1], expected);
    }
    buf_fini(&text);
}

static void extensions_stand_among_the_attributes(void **state)
{
    (void)state;
    assert_ok(read_event(LEAD_EVENT("\"zz\":1,\"aa\":\"x\",\"none\":null,\"idx\":true,"
                                    "\"datacontenttype\":\"application/json\",")));
    assert_string_equal(event.body,
                        "{\"aa\":\"x\",\"data\":{\"teacher\":\"t1\"},\"id\":\"e1\",\"idx\":true,"
                        "\"source\":\"urn:hub:07\",\"specversion\":\"1.0\","
                        "\"subject\":\"school/100001\",\"time\":\"2026-11-21T09:30:00.1234567Z\","
                        "\"type\":\"lead.named\",\"zz\":1}");
}

static void all_attributes_stand_in_canonical_order(void **state)
{
    (void)state;
    assert_ok(read_event(LEAD_EVENT("\"sequence\":\"7\",\"datacontenttype\":\"text/json\","
                                    "\"dataschema\":\"urn:s\",")));
    assert_string_equal(event.body,
                        "{\"data\":{\"teacher\":\"t1\"},\"datacontenttype\":\"text/json\","
                        "\"dataschema\":\"urn:s\",\"id\":\"e1\",\"sequence\":\"7\","
                        "\"source\":\"urn:hub:07\",\"specversion\":\"1.0\","
                        "\"subject\":\"school/100001\",\"time\":\"2026-11-21T09:30:00.1234567Z\","
                        "\"type\":\"lead.named\"}");
}

static void notes_leave_the_body_and_stay_beside_it(void **state)
{
    (void)state;
    assert_ok(read_event("{" HEAD "\"type\":\"group.met\",\"subject\":\"group/g\",\"data\":"
                         "{\"half_term\":1,\"attendance\":{},\"notes\":[\"secret\",\"secret\"]}}"));
    assert_null(strstr(event.body, "secret"));
    const char *first = strstr(event.body, "\"notes\":[\"note:");
    assert_non_null(first);
    const char *second = strstr(first + 15, "\"note:");
    assert_non_null(second);
    assert_int_equal(strspn(first + 15, "0123456789abcdef"), 32);
    assert_memory_not_equal(first + 15, second + 6, 32); /* the place counts */
    assert_string_equal(event.notes->path, "data.notes[0]");
    assert_string_equal(event.notes->next->path, "data.notes[1]");
    assert_string_equal(event.notes->next->text, "secret");
    assert_null(event.notes->next->next);
    assert_string_equal(json_get(event.data, "notes")->as.first->as.string, "secret");
}

static const char *body_of_note(const char *id, const char *note, const uint8_t *key)
{
    char text[512];
    snprintf(text, sizeof(text),
             "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"s\",\"time\":"
             "\"2026-11-21T09:30:00Z\",\"type\":\"readiness.assessed\",\"subject\":\"school/1\","
             "\"data\":{\"judgement\":\"secure\",\"note\":\"%s\"}}",
             id, note);
    assert_ok(event_read(&event, &arena, parsed(text), &catalog, key, &err));
    return strstr(event.body, "note:");
}

static void the_same_note_gives_the_same_digest_only_there_and_with_that_key(void **state)
{
    (void)state;
    static const uint8_t OTHER_KEY[DIGEST_BYTES] = "another key";
    const char *digest = body_of_note("a", "text", NOTE_KEY);
    assert_memory_equal(body_of_note("a", "text", NOTE_KEY), digest, 37);
    assert_memory_not_equal(body_of_note("a", "text.", NOTE_KEY), digest, 37);
    assert_memory_not_equal(body_of_note("b", "text", NOTE_KEY), digest, 37);
    assert_memory_not_equal(body_of_note("a", "text", OTHER_KEY), digest, 37);
}

static void an_unknown_type_names_the_nearest(void **state)
{
    (void)state;
    assert_refused("{" HEAD "\"type\":\"lead.name\",\"subject\":\"school/1\"," LEAD_DATA "}",
                   "type: found \"lead.name\", expected a type that the rules declare; did you mean"
                   " \"lead.named\"?");
}

static void the_subject_must_be_of_a_kind_that_the_type_is_about(void **state)
{
    (void)state;
    assert_refused(
        "{" HEAD "\"type\":\"lead.named\",\"subject\":\"group/1\"," LEAD_DATA "}",
        "subject: found \"group/1\", expected a school: that is what lead.named is about");
    assert_refused(
        "{" HEAD "\"type\":\"lead.named\",\"subject\":\"scool/1\"," LEAD_DATA "}",
        "subject: found \"scool/1\", expected school/URN, group/CODE or hub/CODE; did you"
        " mean \"school\"?");
}

static void a_misspelt_attribute_gets_a_hint(void **state)
{
    (void)state;
    assert_refused("{\"specversion\":\"1.0\",\"id\":\"a\",\"source\":\"s\",\"type\":\"lead.named\","
                   "\"subject\":\"school/1\",\"timee\":\"2026-11-21T09:30:00Z\"," LEAD_DATA "}",
                   "time: missing, expected an RFC 3339 time such as 2026-11-21T09:30:00Z; is"
                   " \"timee\" a slip of it?");
    assert_refused(LEAD_EVENT("\"Subject\":\"school/1\","), "Subject: found this attribute name");
    assert_says("did you mean \"subject\"?");
    assert_ok(read_event(LEAD_EVENT("\"timee\":\"an extension like any other\",")));
}

static void each_attribute_is_checked(void **state)
{
    (void)state;
    static const char *const WRONG[][2] = {
        { "\"sequence\":\"\"", "sequence: found \"\", expected a string that is not empty" },
        { "\"sequence\":7", "sequence: found 7, expected a string" },
        { "\"ext\":1.5", "ext: found 1.5, expected a string, true, false or a whole number" },
        { "\"ext\":2147483648", "ext: found 2147483648" },
        { "\"ext\":{}", "ext: found an object" },
        { "\"ext\":\"a\\u0007\"", "ext: found \"a\\u0007\", expected no control characters" },
        { "\"ext\":\"\\ufdd0\"", "noncharacters" },
        { "\"my-ext\":\"x\"", "my-ext: found this attribute name, expected only a-z and 0-9" },
        { "\"\":\"x\"", ": found this attribute name, expected only a-z and 0-9" },
        { "\"dataschema\":\"\"", "dataschema: found \"\"" },
        { "\"dataschema\":\"/relative\"", "dataschema: found \"/relative\", expected an absolute" },
        { "\"datacontenttype\":\"xyz\"", "datacontenttype: found \"xyz\", expected a media type" },
        { "\"datacontenttype\":\"a/b;c\"", "expected a media type" },
        { "\"datacontenttype\":\"a/b; c=\\\"d\"", "expected a media type" },
        { "\"data_base64\":\"e30=\"", "data_base64: found a string, expected the data as a JSON" },
    };
    char text[1024];
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        snprintf(text, sizeof(text), "{%s%s,%s}", LEAD_HEAD, WRONG[i][0], LEAD_DATA);
        assert_refused(text, WRONG[i][1]);
    }
}

static void extensions_and_media_types_of_every_kind_are_taken(void **state)
{
    (void)state;
    assert_ok(read_event(LEAD_EVENT("\"a\":-2147483648,\"b\":true,\"c\":\"\","
                                    "\"anameoverthetwentycharacters\":\"x\",")));
    assert_ok(read_event(LEAD_EVENT("\"datacontenttype\":\"application/json; charset=utf-8\",")));
    assert_ok(
        read_event(LEAD_EVENT("\"datacontenttype\":\"application/vnd.x+json;a=\\\"b c\\\"\",")));
    assert_ok(read_event(LEAD_EVENT("\"dataschema\":\"https://example.org/s#1\",")));
}

static enum err_code read_with(const char *name, const char *value)
{
    struct buf b = { 0 };
    bool is_id = strcmp(name, "id") == 0, is_source = strcmp(name, "source") == 0;
    buf_printf(&b, "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"%s\",\"sequence\":\"%s\",",
               is_id ? value : "e", is_source ? value : "s", is_id || is_source ? "1" : value);
    buf_str(&b, "\"time\":\"2026-11-21T09:30:00Z\",\"type\":\"lead.named\","
                "\"subject\":\"school/1\"," LEAD_DATA "}");
    enum err_code rc = read_event(buf_cstr(&b));
    buf_fini(&b);
    return rc;
}

static void names_have_a_length(void **state)
{
    (void)state;
    char text[300];
    snprintf(text, sizeof(text), "%0256d", 0);
    assert_ok(read_with("id", text));
    assert_ok(read_with("source", text));
    snprintf(text, sizeof(text), "%0257d", 0);
    assert_int_equal(read_with("id", text), ERR_INPUT);
    assert_says("expected at most 256 bytes");
    assert_int_equal(read_with("source", text), ERR_INPUT);
    assert_ok(read_with("sequence", text + 257 - 64));
    assert_int_equal(read_with("sequence", text + 257 - 65), ERR_INPUT);
    assert_says("expected at most 64 bytes");
}

static void a_source_is_a_uri_reference(void **state)
{
    (void)state;
    assert_ok(read_with("source", "#fragment"));
    assert_ok(read_with("source", "https://example.org/a?b=c&d=%20#e"));
    assert_ok(read_with("source", "/hub/07"));
    assert_ok(read_with("source", "http://[2001:db8::7]:8087/hub"));
    assert_ok(read_with("source", "mailto:hub@example.org"));
    static const char *const WRONG[] = { "two words",   "bad%2",         "bad%zz",
                                         "a#b#c",       "caf\xc3\xa9",   "<a>",
                                         "http://[",    "http://[::1/x", "http://[::g]/",
                                         "http://a:b/", "1a:b",          "a[b]" };
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        assert_int_equal(read_with("source", WRONG[i]), ERR_INPUT);
        assert_says("expected a URI-reference");
    }
    assert_int_equal(read_with("source", "http://a/[b]"), ERR_INPUT);
    assert_says("it goes wrong at byte 10");
}

static void an_event_has_a_largest_size_notes_included(void **state)
{
    (void)state;
    struct buf b = { 0 };
    for (int notes = 26; notes <= 27; notes++) {
        buf_reset(&b);
        buf_str(&b, "{" HEAD "\"type\":\"group.met\",\"subject\":\"group/g\",\"data\":"
                    "{\"half_term\":1,\"attendance\":{},\"notes\":[");
        for (int i = 0; i < notes; i++)
            buf_printf(&b, "%s\"%010000d\"", i > 0 ? "," : "", 0);
        buf_str(&b, "]}}");
        assert_int_equal(read_event(buf_cstr(&b)), notes == 26 ? OK : ERR_LIMIT);
    }
    assert_says("expected at most 262144");
    buf_fini(&b);
}

static void voids_are_known_without_a_pack(void **state)
{
    (void)state;
    assert_ok(read_event("{" HEAD "\"type\":\"event.voided\",\"subject\":\"hub/07\",\"data\":"
                         "{\"source\":\"s\",\"id\":\"i\",\"reason\":\"a slip\"}}"));
    assert_string_equal(event.notes->path, "data.reason");
    char text[800];
    snprintf(text, sizeof(text),
             "{%s\"type\":\"event.voided\",\"subject\":\"school/1\",\"data\":"
             "{\"source\":\"s\",\"id\":\"%0257d\"}}",
             HEAD, 0);
    assert_refused(text, "data.id: found ");
    assert_says("expected text of at most 256 bytes");
}

static void what_is_no_object_is_no_event(void **state)
{
    (void)state;
    assert_refused("[]", "found an array, expected a CloudEvent, a JSON object");
    assert_refused("\"x\"", "found \"x\", expected a CloudEvent");
    assert_refused("{}", "specversion: missing, expected \"1.0\"");
    assert_refused("{" LEAD_HEAD "\"data\":null}", "data: missing, expected an object");
    assert_refused("{" LEAD_HEAD "\"data\":\"x\"}", "data: found \"x\", expected an object with");
}

static void a_type_is_declared_once(void **state)
{
    (void)state;
    static const struct event_type AGAIN = { .name = "lead.named", .declared_at = "other.lua:9" };
    assert_int_equal(catalog_add(&catalog, &AGAIN, &err), ERR_CONFLICT);
    assert_string_equal(err.msg, "other.lua:9: the event type lead.named is already declared at"
                                 " pack.lua:1: expected another name");
    assert_ptr_equal(catalog_find(&catalog, "lead.named"), &TYPES[0]);
    assert_null(catalog_find(&catalog, "lead.namee"));
    assert_non_null(catalog_find(&catalog, EVENT_VOIDED));
}

#define E(fn) CASE_WITH(fn, open_catalog, close_catalog)
TEST_MAIN(E(a_valid_event_is_taken_apart), E(order_of_members_and_nulls_make_no_difference),
          E(what_it_touches_is_named_once_its_subject_first), E(many_are_touched_in_order_and_once),
          E(extensions_stand_among_the_attributes), E(all_attributes_stand_in_canonical_order),
          E(notes_leave_the_body_and_stay_beside_it),
          E(the_same_note_gives_the_same_digest_only_there_and_with_that_key),
          E(an_unknown_type_names_the_nearest),
          E(the_subject_must_be_of_a_kind_that_the_type_is_about),
          E(a_misspelt_attribute_gets_a_hint), E(each_attribute_is_checked),
          E(extensions_and_media_types_of_every_kind_are_taken), E(names_have_a_length),
          E(a_source_is_a_uri_reference), E(an_event_has_a_largest_size_notes_included),
          E(voids_are_known_without_a_pack), E(what_is_no_object_is_no_event),
          E(a_type_is_declared_once))
