/* fixture.h - a small catalog and events as JSON, for the tests of the model. */
#ifndef PATHWAY_TEST_FIXTURE_H
#define PATHWAY_TEST_FIXTURE_H

#include "tests/unit/harness.h"

#include "model/event.h"

static const char *const JUDGEMENTS[] = { "not_yet", "developing", "secure" };
static const struct type TEXT = { .kind = TYPE_TEXT };
static const struct type PERSON = { .kind = TYPE_PERSON };
static const struct type NOTE = { .kind = TYPE_NOTE };
static const struct type SCHOOL = { .kind = TYPE_SCHOOL };
static const struct type GROUP = { .kind = TYPE_GROUP };
static const struct type HALF_TERM = { .kind = TYPE_INT, .min = 1, .max = 6 };
static const struct type JUDGEMENT = { .kind = TYPE_ENUM, .values = JUDGEMENTS, .value_count = 3 };
static const struct type PEOPLE = { .kind = TYPE_LIST, .of = &PERSON };
static const struct type NOTES = { .kind = TYPE_LIST, .of = &NOTE };
static const struct type ATTENDANCE = { .kind = TYPE_MAP, .key = &SCHOOL, .of = &PEOPLE };

#define ROW(name, ...)                                                                             \
    static const struct type_field name##_FIELDS[] = { __VA_ARGS__ };                              \
    static const struct type name = { .kind = TYPE_ROW,                                            \
                                      .fields = name##_FIELDS,                                     \
                                      .field_count =                                               \
                                          sizeof(name##_FIELDS) / sizeof(name##_FIELDS[0]) }

ROW(LEAD, { "teacher", &PERSON, false }, { "role", &TEXT, true });
ROW(READINESS, { "judgement", &JUDGEMENT, false }, { "note", &NOTE, true });
ROW(MET, { "half_term", &HALF_TERM, false }, { "attendance", &ATTENDANCE, false },
    { "group", &GROUP, true }, { "notes", &NOTES, true });
static const struct type NO_DATA = { .kind = TYPE_ROW };

static const struct event_type TYPES[] = {
    { "lead.named", "A lead was named", { true, false, false }, &LEAD, "pack.lua:1", NULL },
    { "readiness.assessed", "An area", { true, false, false }, &READINESS, "pack.lua:2", NULL },
    { "group.met", "A group met", { false, true, false }, &MET, "pack.lua:3", NULL },
    { "io.cloudevents.test", "Anything", { true, true, true }, &NO_DATA, "pack.lua:4", NULL },
};

static const uint8_t NOTE_KEY[DIGEST_BYTES] = "a key for the tests of the model";
static struct arena arena;
static struct catalog catalog;
static struct event event;

static inline int open_catalog(void **state)
{
    (void)state;
    if (digest_init(&err) != OK || catalog_init(&catalog, &err) != OK)
        return -1;
    for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++) {
        if (catalog_add(&catalog, &TYPES[i], &err) != OK)
            return -1;
    }
    return 0;
}

static inline int close_catalog(void **state)
{
    (void)state;
    catalog_fini(&catalog);
    arena_fini(&arena);
    return 0;
}

static inline const struct json *parsed(const char *text)
{
    const struct json *out = NULL;
    assert_ok(json_parse(&out, &arena, text, strlen(text), EVENT_MAX_DEPTH, &err));
    return out;
}

static inline enum err_code read_event(const char *text)
{
    return event_read(&event, &arena, parsed(text), &catalog, NOTE_KEY, &err);
}

/* The message holds `says`. */
static inline void assert_says(const char *says)
{
    if (!strstr(err.msg, says))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, says);
}

#endif
