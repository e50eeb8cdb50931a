/*
 * fake_engine.h - an engine in memory, behind the interfaces of engine.h and question.h, that
 * a test can hold, fail and count. Include it in one file of a program only.
 */
#ifndef PATHWAY_TEST_FAKE_ENGINE_H
#define PATHWAY_TEST_FAKE_ENGINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/civil.h"
#include "engine/engine.h"
#include "engine/question.h"
#include "model/event.h"

struct engine {
    struct catalog catalog;
    struct arena arena;
    struct strmap seen; /* "source id" to struct fake_row */
    uint8_t key[DIGEST_BYTES];
    struct clock clock;
    void (*durable)(int64_t ticket, const struct err *why, void *arg);
    void *arg;
};

struct fake_row {
    int64_t seq;
    const char *body;
};

/* What the test and the fake share; `lock` guards it. */
static struct {
    uv_mutex_t lock;
    uv_cond_t moved;
    bool is_held;    /* engine_take() waits here */
    bool is_opening; /* engine_open() waits here */
    bool cannot_open;
    bool is_disk_held; /* commits are handed over, and durable when fake_let_through() says so */
    bool disk_fails;   /* what is let through does not become durable */
    bool is_behind;    /* the tables are; each engine_catch_up() brings them on by a commit */
    bool cannot_catch_up;
    bool is_torn; /* while they are brought on */
    int waiting;  /* takes and openings that wait */
    int commits;  /* engine_take() that succeeded */
    int refusals; /* engine_take() that failed */
    int closes;
    int wakes;
    int catch_ups;  /* tried */
    size_t largest; /* events of the largest commit */
    struct engine *engine;
    int64_t ticket;    /* handed over */
    int64_t told;      /* durable, or not */
    bool has_failed;   /* the next take begins anew */
    int64_t forgotten; /* tickets from before that */
    int64_t listed;    /* commits in the list */
    int64_t tables;    /* the commit that they stand at */
    int64_t wanted;    /* by the last question */
    int64_t seq;
    int64_t feed_seq;
    int64_t next_wake;
    int64_t told_wake;    /* to the last reader that was asked */
    int readers;          /* open ones */
    int readers_at_close; /* of the engine */
    int readers_opened;
    int asking; /* questions under way */
    int most_asking;
} fake;

static void fake_reset(void)
{
    memset(&fake, 0, sizeof(fake));
    uv_mutex_init(&fake.lock);
    uv_cond_init(&fake.moved);
    fake.next_wake = TIME_NEVER;
}

static void fake_fini(void)
{
    uv_cond_destroy(&fake.moved);
    uv_mutex_destroy(&fake.lock);
}

/* Set one of its switches and let everybody look again. */
static inline void fake_set(bool *which, bool value)
{
    uv_mutex_lock(&fake.lock);
    *which = value;
    uv_cond_broadcast(&fake.moved);
    uv_mutex_unlock(&fake.lock);
}

static inline void fake_await_waiting(int count)
{
    uv_mutex_lock(&fake.lock);
    while (fake.waiting < count)
        uv_cond_wait(&fake.moved, &fake.lock);
    uv_mutex_unlock(&fake.lock);
}

static inline int fake_get(const int *which)
{
    uv_mutex_lock(&fake.lock);
    int value = *which;
    uv_mutex_unlock(&fake.lock);
    return value;
}

/* With the lock held. */
static void fake_wait_while(const bool *held)
{
    fake.waiting++;
    uv_cond_broadcast(&fake.moved);
    while (*held)
        uv_cond_wait(&fake.moved, &fake.lock);
    fake.waiting--;
}

/* Tell of all commits that were handed over. Not with the lock held. */
static inline void fake_let_through(void)
{
    struct err why;

    uv_mutex_lock(&fake.lock);
    struct engine *e = fake.engine;
    bool fails = fake.disk_fails;
    while (fake.told < fake.ticket) {
        int64_t ticket = ++fake.told;
        fake.has_failed = fake.has_failed || fails; /* before anybody can hear of it */
        uv_mutex_unlock(&fake.lock);
        if (fails)
            err_set(&why, ERR_LIMIT, "the disk is full");
        e->durable(ticket, fails ? &why : NULL, e->arg);
        uv_mutex_lock(&fake.lock);
    }
    uv_mutex_unlock(&fake.lock);
}

/* A commit is handed over: tell of it at once, which is before engine_take() returns, or when the
 * test does. */
static void fake_hand_over(bool is_listed)
{
    uv_mutex_lock(&fake.lock);
    fake.ticket++;
    fake.listed += is_listed;
    if (!fake.is_behind)
        fake.tables = fake.listed;
    bool is_held = fake.is_disk_held;
    uv_cond_broadcast(&fake.moved);
    uv_mutex_unlock(&fake.lock);
    if (!is_held)
        fake_let_through();
}

static const struct type FAKE_TEXT = { .kind = TYPE_TEXT };
static const struct type_field FAKE_FIELDS[] = { { "teacher", &FAKE_TEXT, false } };
static const struct type FAKE_DATA = { .kind = TYPE_ROW, .fields = FAKE_FIELDS, .field_count = 1 };
static const struct event_type FAKE_TYPE = { .name = "lead.named",
                                             .title = "A lead was named",
                                             .subjects = { true, false, false },
                                             .data = &FAKE_DATA,
                                             .declared_at = "fake:1" };

enum err_code engine_open(struct engine **out, const struct engine_options *options,
                          struct err *open_err)
{
    *out = NULL;
    uv_mutex_lock(&fake.lock);
    fake_wait_while(&fake.is_opening);
    bool cannot = fake.cannot_open;
    uv_mutex_unlock(&fake.lock);
    if (cannot)
        return err_set(open_err, ERR_STORE, "%s: it is not a database", options->database);
    struct engine *e = calloc(1, sizeof(*e));
    if (!e)
        return err_set(open_err, ERR_LIMIT, "no memory");
    e->clock = options->clock;
    e->durable = options->durable;
    e->arg = options->arg;
    fake.engine = e;
    fake.ticket = fake.told = fake.forgotten = 1; /* a commit from before there is a writer */
    enum err_code rc = catalog_init(&e->catalog, open_err);
    if (rc == OK)
        rc = catalog_add(&e->catalog, &FAKE_TYPE, open_err);
    if (rc == OK)
        *out = e;
    return rc;
}

void engine_close(struct engine *e)
{
    fake_let_through();
    catalog_fini(&e->catalog);
    strmap_fini(&e->seen);
    arena_fini(&e->arena);
    free(e);
    uv_mutex_lock(&fake.lock);
    fake.closes++;
    fake.readers_at_close = fake.readers;
    uv_mutex_unlock(&fake.lock);
}

const struct catalog *engine_catalog(const struct engine *e)
{
    return &e->catalog;
}

const uint8_t *engine_note_key(const struct engine *e)
{
    return e->key;
}

static void fake_take_one(struct engine *e, struct take *t)
{
    char name[512];
    snprintf(name, sizeof(name), "%s %s", t->event->source, t->event->id);
    bool is_new = false;
    char *key = arena_strdup(&e->arena, name);
    struct strmap_item *item = strmap_add(&e->seen, key, strlen(key), &is_new);
    if (is_new) {
        struct fake_row *row = arena_alloc(&e->arena, sizeof(*row));
        row->seq = ++fake.seq;
        row->body = arena_strdup(&e->arena, t->event->body);
        item->as.ptr = row;
        fake.feed_seq++;
    }
    const struct fake_row *row = item->as.ptr;
    t->seq = row->seq;
    t->status = is_new                                   ? TAKE_ACCEPTED
                : strcmp(row->body, t->event->body) == 0 ? TAKE_DUPLICATE
                                                         : TAKE_CONFLICT;
}

/* An event whose id is "poison" fails the commit that it is in. */
enum err_code engine_take(struct engine *e, struct take *items, size_t count, struct err *take_err)
{
    enum err_code rc = OK;

    uv_mutex_lock(&fake.lock);
    fake_wait_while(&fake.is_held);
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i].event->id, "poison") == 0)
            rc = err_set(take_err, ERR_STORE, "disk full");
    if (fake.has_failed)
        fake.forgotten = fake.ticket;
    fake.has_failed = false;
    int64_t seq = fake.seq;
    for (size_t i = 0; i < count && rc == OK; i++)
        fake_take_one(e, &items[i]);
    bool is_commit = fake.seq > seq; /* with nothing new there is none */
    fake.refusals += rc != OK;
    fake.commits += rc == OK;
    if (rc == OK && count > fake.largest)
        fake.largest = count;
    uv_mutex_unlock(&fake.lock);
    if (rc == OK && is_commit)
        fake_hand_over(true);
    return rc;
}

int64_t engine_next_wake(const struct engine *e)
{
    (void)e;
    uv_mutex_lock(&fake.lock);
    int64_t at = fake.next_wake;
    uv_mutex_unlock(&fake.lock);
    return at;
}

/* Each wake puts the next a second later, until it is not due any more. */
enum err_code engine_wake(struct engine *e, struct err *wake_err)
{
    (void)e;
    (void)wake_err;
    uv_mutex_lock(&fake.lock);
    fake.wakes++;
    fake.feed_seq++;
    fake.next_wake += US_PER_S;
    uv_mutex_unlock(&fake.lock);
    fake_hand_over(true);
    return OK;
}

enum err_code engine_release(struct engine *e, struct err *release_err)
{
    (void)e;
    (void)release_err;
    return OK;
}

int64_t engine_turn_at(const struct engine *e)
{
    (void)e;
    return INT64_MAX;
}

int64_t engine_ticket(const struct engine *e)
{
    (void)e;
    uv_mutex_lock(&fake.lock);
    int64_t ticket = fake.ticket > fake.forgotten ? fake.ticket : 0;
    uv_mutex_unlock(&fake.lock);
    return ticket;
}

enum err_code engine_try(struct engine *e, struct rulebook *rules,
                         const struct pack_origin *origins, struct err *why)
{
    (void)origins;
    (void)e;
    (void)rules;
    return err_set(why, ERR_RULE, "the fake has no rules");
}

enum err_code engine_try_slice(struct engine_swap *out, struct engine *e, int64_t until,
                               struct err *why)
{
    (void)until;
    (void)e;
    *out = (struct engine_swap){ 0 };
    return err_set(why, ERR_RULE, "the fake has no rules");
}

void engine_give_up(struct engine *e)
{
    (void)e;
}

bool engine_must_scrub(const struct engine *e)
{
    (void)e;
    return false;
}

enum err_code engine_scrub(struct engine *e, struct err *scrub_err)
{
    (void)e;
    (void)scrub_err;
    return OK;
}

bool engine_is_behind(const struct engine *e)
{
    (void)e;
    uv_mutex_lock(&fake.lock);
    bool is_behind = fake.is_behind;
    uv_mutex_unlock(&fake.lock);
    return is_behind;
}

enum err_code engine_catch_up(struct engine *e, struct err *catch_err)
{
    (void)e;
    uv_mutex_lock(&fake.lock);
    fake.catch_ups++;
    bool cannot = fake.cannot_catch_up;
    if (!cannot && fake.tables < fake.listed)
        fake.tables++;
    fake.is_behind = cannot || fake.tables < fake.listed;
    uv_mutex_unlock(&fake.lock);
    if (cannot)
        return err_set(catch_err, ERR_LIMIT, "the disk is full");
    fake_hand_over(false);
    return OK;
}

void engine_progress(const struct engine *e, struct engine_progress *out)
{
    (void)e;
    uv_mutex_lock(&fake.lock);
    *out = (struct engine_progress){ .feed_seq = fake.feed_seq,
                                     .commits = fake.listed,
                                     .tables = fake.tables,
                                     .tables_are_whole = !fake.is_torn,
                                     .next_wake = fake.next_wake };
    uv_mutex_unlock(&fake.lock);
}

void engine_write_failures(const struct engine *e, bool as_metrics, struct buf *out)
{
    (void)e;
    buf_str(out, as_metrics ? "" : "[]");
}

void engine_counters(const struct engine *e, struct engine_counters *out)
{
    (void)e;
    uv_mutex_lock(&fake.lock);
    *out = (struct engine_counters){ .wakes = (uint64_t)fake.wakes,
                                     .changes = (uint64_t)fake.feed_seq,
                                     .generation = 3,
                                     .digest = "cafe" };
    uv_mutex_unlock(&fake.lock);
}

enum err_code engine_command(char **out, struct engine *e, const char *name,
                             const struct json *params, struct err *command_err)
{
    (void)e;
    const struct json *key = json_get(params, "key");
    if (strcmp(name, "token.keys") == 0)
        return (*out = strdup("{\"result\":{},\"keys\":[]}")) ? OK : ERR_LIMIT;
    if (!key)
        return err_set(command_err, ERR_INPUT, "%s: 'key' is missing", name);
    if (json_is_string(key, "nobody"))
        return err_set(command_err, ERR_ABSENT, "nothing is kept under 'nobody'");
    struct buf b = { 0 };
    buf_printf(&b, "{\"did\":\"%s\"}", name);
    *out = buf_take(&b);
    return OK;
}

struct reader {
    int64_t wanted;
    reader_progress_fn *progress;
    void *progress_arg;
};

enum err_code reader_open(struct reader **out, const char *database, const char *rules,
                          const struct clock *clock, struct err *open_err)
{
    (void)database;
    (void)rules;
    (void)clock;
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return err_set(open_err, ERR_LIMIT, "no memory");
    uv_mutex_lock(&fake.lock);
    fake.readers++;
    fake.readers_opened++;
    uv_mutex_unlock(&fake.lock);
    return OK;
}

void reader_close(struct reader *r)
{
    if (!r)
        return;
    free(r);
    uv_mutex_lock(&fake.lock);
    fake.readers--;
    uv_mutex_unlock(&fake.lock);
}

void reader_forget(struct reader *r)
{
    (void)r;
}

void reader_want(struct reader *r, int64_t commit)
{
    r->wanted = commit;
    uv_mutex_lock(&fake.lock);
    fake.wanted = commit;
    uv_mutex_unlock(&fake.lock);
}

void reader_tell_wake(struct reader *r, int64_t due)
{
    (void)r;
    uv_mutex_lock(&fake.lock);
    fake.told_wake = due;
    uv_mutex_unlock(&fake.lock);
}

void reader_tell_slow(struct reader *r, const char *slow)
{
    (void)r;
    (void)slow;
}

void reader_on_progress(struct reader *r, reader_progress_fn *fn, void *arg)
{
    r->progress = fn;
    r->progress_arg = arg;
}

/* Three of seven are done when it waits. Answers with the question itself, and how many events it
 * sees. A "list" reads tables: busy while they are behind what is wanted of them. */
enum err_code question_answer(struct buf *out, struct reader *r, const char *question,
                              const struct json *params, struct err *ask_err)
{
    enum err_code rc = OK;
    if (r->progress)
        r->progress(3, 7, r->progress_arg);
    uv_mutex_lock(&fake.lock);
    fake.asking++;
    if (fake.asking > fake.most_asking)
        fake.most_asking = fake.asking;
    fake_wait_while(&fake.is_held);
    fake.asking--;
    if (strcmp(question, "nonsense") == 0)
        rc = err_set(ask_err, ERR_INPUT, "unknown question 'nonsense'");
    else if (json_is_string(json_get(params, "subject"), "school/404"))
        rc = err_set(ask_err, ERR_ABSENT, "no event is about school/404");
    else if (strcmp(question, "list") == 0 && fake.tables < r->wanted)
        rc = err_set(ask_err, ERR_BUSY, "the tables are being brought on; ask again");
    buf_printf(out, "{\"question\":\"%s\",\"events\":%lld,\"params\":", question,
               (long long)fake.seq);
    json_write(out, params);
    buf_char(out, '}');
    uv_mutex_unlock(&fake.lock);
    return rc;
}

#endif
