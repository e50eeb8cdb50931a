/*
 * test_cloudevents.c - the published vectors, completed with what pathwayd requires.
 *
 * The vectors know nothing of our subjects and data. So each event gets, where it lacks them, a
 * subject, a time and data that is an object; a subject or data that CloudEvents allows and we
 * do not ("tests", "Simple text") is replaced. All else is as published: their type,
 * io.cloudevents.test, is one that the catalog of this test knows.
 */
#include "tests/unit/model/fixture.h"
#include "tests/unit/vectors.h"

/* What the message of each invalid vector must name. */
static const char *const DEFECTS[][2] = {
    { "invalidNoSpecVersion", "specversion: missing" },
    { "invalidNoId", "id: missing" },
    { "invalidNoType", "type: missing" },
    { "invalidNoSource", "source: missing" },
    { "invalidTimeGarbage", "time: found \"lunchtime\"" },
    { "invalidTimeToMinute", "time: found \"2018-04-05T18:31Z\"" },
    { "invalidTimeOffsetX", "time: found \"2018-04-05T18:31:00X\"" },
    { "invalidTimeOffsetOutOfRange", "time: found \"2018-04-05T18:31:00+25:00\"" },
    { "invalidTimeOffsetNonInteger", "time: found \"2018-04-05T18:31:00+xx:00\"" },
    { "invalidTimeOffsetHourOnly", "time: found \"2018-04-05T18:31:00+05\"" },
    { "invalidEmptyId", "id: found \"\"" },
    { "invalidEmptyType", "type: found \"\"" },
    { "invalidEmptySource", "source: found \"\"" },
    { "invalidEmptySpecVersion", "specversion: found \"\", expected \"1.0\"" },
    { "invalidUnknownSpecVersion", "specversion: found \"0.9\", expected \"1.0\"" },
    { "invalidNonRfc2046DataContentType", "datacontenttype: found \"xyz\"" },
    { "invalidEmptyDataContentType", "datacontenttype: found \"\"" },
    { "invalidEmptyDataSchema", "dataschema: found \"\"" },
    { "invalidEmptySubject", "subject: found \"\"" },
    { "invalidNumericId", "id: found 25" },
    { "invalidObjectId", "id: found an object" },
    { "invalidCapitalizedExtension", "MyExtension: " },
    { "invalidPunctuatedExtension", "my.extension: " },
    { "invalidNonIntegerExtensionValue", "my.extension: " },
    { "invalidBothDataAndDataBase64", "data_base64: " },
    { "invalidBatchMixedSpecVersions", "specversion: found \"0.9\"" },
    { "invalidBatchContainingInvalidCloudEvent", "id: missing" },
    { "invalidBatchContainingNonObject", "found \"not an object\", expected a CloudEvent" },
};

/* A value for `name` that completes a vector; NULL to keep what is there. */
static const char *completion(const struct json *vector, const char *name)
{
    const struct json *value = json_get(vector, name);
    bool is_absent = !value || value->type == JSON_NULL;

    if (strcmp(name, "subject") == 0)
        return is_absent || json_is_string(value, "tests") ? "\"school/100001\"" : NULL;
    if (strcmp(name, "time") == 0)
        return is_absent ? "\"2026-11-21T09:30:00Z\"" : NULL;
    return is_absent || value->type != JSON_OBJECT ? "{}" : NULL;
}

/* The vector as an event of ours, read; `err` has the message. */
static enum err_code read_completed(const struct json *vector)
{
    static const char *const OURS[] = { "subject", "time", "data" };
    struct buf b = { 0 };

    if (vector->type != JSON_OBJECT)
        return event_read(&event, &arena, vector, &catalog, NOTE_KEY, &err);
    buf_char(&b, '{');
    for (size_t i = 0; i < 3; i++) {
        if (completion(vector, OURS[i]))
            buf_printf(&b, "%s\"%s\":%s", b.len > 1 ? "," : "", OURS[i],
                       completion(vector, OURS[i]));
    }
    for (const struct json *m = vector->as.first; m; m = m->next) {
        bool is_ours = strcmp(m->name, "subject") == 0 || strcmp(m->name, "time") == 0 ||
                       strcmp(m->name, "data") == 0;
        if (is_ours && completion(vector, m->name))
            continue;
        buf_printf(&b, "%s\"%s\":", b.len > 1 ? "," : "", m->name);
        json_write(&b, m);
    }
    buf_char(&b, '}');
    enum err_code rc = read_event(buf_cstr(&b));
    buf_fini(&b);
    return rc;
}

static const char *defect_of(const char *id)
{
    for (size_t i = 0; i < sizeof(DEFECTS) / sizeof(DEFECTS[0]); i++) {
        if (strcmp(DEFECTS[i][0], id) == 0)
            return DEFECTS[i][1];
    }
    fail_msg("the vector %s is new: say which defect it has", id);
    return "";
}

static int for_each_test(const char *file, void (*decide)(const struct json *test))
{
    int count = 0;
    const struct json *tests = json_get(read_vectors(&arena, file), "tests");

    for (const struct json *test = tests->as.first; test; test = test->next, count++)
        decide(test);
    return count;
}

static void accept_event(const struct json *test)
{
    if (read_completed(json_get(test, "event")) != OK)
        fail_msg("%s was refused: %s", json_get(test, "id")->as.string, err.msg);
}

static void refuse_event(const struct json *test)
{
    assert_int_equal(read_completed(json_get(test, "event")), ERR_INPUT);
    assert_says(defect_of(json_get(test, "id")->as.string));
}

static void accept_batch(const struct json *test)
{
    for (const struct json *e = json_get(test, "batch")->as.first; e; e = e->next)
        assert_ok(read_completed(e));
}

/* Just one event of an invalid batch is at fault. */
static void refuse_batch(const struct json *test)
{
    int refused = 0;

    for (const struct json *e = json_get(test, "batch")->as.first; e; e = e->next) {
        if (read_completed(e) == OK)
            continue;
        refused++;
        assert_says(defect_of(json_get(test, "id")->as.string));
    }
    assert_int_equal(refused, 1);
}

static void every_valid_event_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(for_each_test("cloudevents-valid-events.json", accept_event), 10);
}

static void every_invalid_event_is_refused_for_its_defect(void **state)
{
    (void)state;
    assert_int_equal(for_each_test("cloudevents-invalid-events.json", refuse_event), 25);
}

static void every_valid_batch_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(for_each_test("cloudevents-valid-batches.json", accept_batch), 5);
}

static void every_invalid_batch_has_one_event_refused(void **state)
{
    (void)state;
    assert_int_equal(for_each_test("cloudevents-invalid-batches.json", refuse_batch), 3);
}

#define V(fn) CASE_WITH(fn, open_catalog, close_catalog)
TEST_MAIN(V(every_valid_event_is_accepted), V(every_invalid_event_is_refused_for_its_defect),
          V(every_valid_batch_is_accepted), V(every_invalid_batch_has_one_event_refused))
