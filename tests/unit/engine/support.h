/* support.h - a log in memory, filled with short lines, for the tests of the engine. */
#ifndef PATHWAY_TEST_ENGINE_SUPPORT_H
#define PATHWAY_TEST_ENGINE_SUPPORT_H

#include "tests/unit/lua/support.h"

#include "engine/append.h"
#include "engine/export.h"
#include "engine/fold.h"
#include "engine/world.h"

/* A log whose events are those of a pack. */
struct log {
    struct rulebook *rules;
    struct store *store;
    int64_t recorded;
};

static inline void log_begin(struct log *l, const char *pack)
{
    *l = (struct log){ .rules = load_rulebook(pack) };
    assert_ok(store_open(&l->store, NULL, STORE_MEMORY, &err));
}

/* The same with overlays, by the files of all packs. */
static inline void log_begin_files(struct log *l, const struct ruleset_file *files, int count)
{
    assert_ok(civil_init(&err));
    assert_ok(digest_init(&err));
    *l = (struct log){ 0 };
    assert_ok(rulebook_load_files(&l->rules, files, count, NULL, &err));
    assert_ok(store_open(&l->store, NULL, STORE_MEMORY, &err));
}

/* The same rules and an empty log. */
static inline void log_clear(struct log *l)
{
    store_close(l->store);
    l->store = NULL;
    assert_ok(store_open(&l->store, NULL, STORE_MEMORY, &err));
    l->recorded = 0;
}

static inline void log_end(struct log *l)
{
    store_close(l->store);
    rulebook_free(l->rules);
}

/* Append an event of source "s"; its number. */
static inline int64_t put(struct log *l, const char *id, const char *time, const char *subject,
                          const char *type, const char *data)
{
    struct arena arena = { 0 };
    struct buf text = { 0 };
    const struct json *json = NULL;
    struct event event;
    enum append_status status;
    int64_t seq = 0;

    buf_printf(&text,
               "{\"specversion\":\"1.0\",\"source\":\"s\",\"id\":\"%s\",\"time\":\"%s%s\","
               "\"subject\":\"%s\",\"type\":\"%s\",\"data\":%s}",
               id, time, strchr(time, 'T') ? "" : "T00:00:00Z", subject, type, data);
    assert_ok(json_parse(&json, &arena, buf_cstr(&text), text.len, 64, &err));
    assert_ok(event_read(&event, &arena, json, rulebook_catalog(l->rules), store_note_key(l->store),
                         &err));
    assert_ok(store_begin(l->store, &err));
    assert_ok(append_event(&status, &seq, l->store, &event, ++l->recorded, NULL, &err));
    assert_ok(store_commit(l->store, &err));
    assert_int_equal(status, APPEND_ACCEPTED);
    buf_fini(&text);
    arena_fini(&arena);
    return seq;
}

static inline void put_void(struct log *l, const char *id, const char *time, const char *subject,
                            const char *target)
{
    char data[100];
    snprintf(data, sizeof(data), "{\"source\":\"s\",\"id\":\"%s\"}", target);
    put(l, id, time, subject, "event.voided", data);
}

/* The log as known up to event `max_seq`, loaded as it is asked for or all at once. */
static inline struct world *view(struct log *l, int64_t max_seq, bool all)
{
    struct world *w = NULL;
    assert_ok(world_open(&w, l->store, max_seq, &err));
    if (all)
        assert_ok(world_load_all(w, &err));
    return w;
}

#define ALL INT64_MAX

/* ---- numbers by chance, from a seed that is printed ---- */

static uint64_t seed;

static inline unsigned pick(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % below;
}

static inline void begin_chance(void)
{
    seed = given_seed();
}

static inline void shuffle(int *order, int count)
{
    for (int i = count - 1; i > 0; i--) {
        int k = (int)pick((unsigned)i + 1), swap = order[i];
        order[i] = order[k];
        order[k] = swap;
    }
}

#endif
