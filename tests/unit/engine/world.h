/* world.h - schools that succeed each other and events that void each other, for the tests of a
 * world. */
#ifndef PATHWAY_TEST_ENGINE_WORLD_H
#define PATHWAY_TEST_ENGINE_WORLD_H

#include "tests/unit/engine/one_log.h"

static const char PACK[] = "return pack { name = 'test', events = {\n"
                           "  go = { title = 'Go', subject = 'school', data = { other = "
                           "optional(school), group = optional(group) } },\n"
                           "  ['school.succeeded'] = { title = 'S', subject = 'school', data = { "
                           "predecessor = school } } },\n"
                           "}";

static inline void go(const char *id, const char *time, const char *subject)
{
    put(&LOG, id, time, subject, "go", "{}");
}

static inline void succeed(const char *id, const char *time, const char *subject,
                           const char *predecessor)
{
    char data[200];
    snprintf(data, sizeof(data), "{\"predecessor\":\"%s\"}", predecessor);
    put(&LOG, id, time, subject, "school.succeeded", data);
}

/* The ids of a fold's items; behind "/" through whom each came when not as the subject itself
 * alone. */
static inline const char *items_in(struct world *w, const char *subject, const char *moment)
{
    static char text[2000];
    const struct item *items = NULL;
    size_t count = 0, len = 0;

    assert_ok(world_fold_items(&items, &count, w, subject, at(moment), &err));
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
                                items[i].entry->key.id);
        if (items[i].as_count == 1 && strcmp(items[i].as[0], subject) == 0)
            continue;
        for (int k = 0; k < items[i].as_count; k++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "/%s",
                                    items[i].as[k] + strlen("school/"));
    }
    return text;
}

/* Asked of both kinds of world. */
static inline void assert_items(const char *subject, const char *moment, const char *expected)
{
    for (int all = 0; all < 2; all++) {
        struct world *w = view(&LOG, ALL, all == 1);
        assert_string_equal(items_in(w, subject, moment), expected);
        world_close(w);
    }
}

/* ---- events by chance, and the plain definition of which of them stand ---- */

#define EVENTS 60

struct model_event {
    char id[16], target[16], subject[16], time[32];
    int64_t seq;
    struct event_key key;
};
static struct model_event MODEL[EVENTS];

static inline bool stands(int e, int64_t max_seq)
{
    for (int v = 0; v < EVENTS; v++)
        if (MODEL[v].seq <= max_seq && strcmp(MODEL[v].target, MODEL[e].id) == 0 &&
            strcmp(MODEL[v].subject, MODEL[e].subject) == 0 &&
            event_key_compare(&MODEL[v].key, &MODEL[e].key) > 0 && stands(v, max_seq))
            return false;
    return true;
}

#define WORLD_CASE(fn) LOG_CASE(fn, PACK)

#endif
