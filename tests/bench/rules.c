/* rules.c - how long folding and judging take, and how much memory live records hold. Events come
 * from a file; voids and successions are left out, and each subject's events are folded in event
 * order.
 *
 *   rules RULES EVENTS.ndjson [LIVE [PARTS]]
 *
 * LIVE: how many of the last events come to live records (20000). PARTS: letters of what to do:
 * fold from scratch, judge all, memory of each kind, live records (fjml). Started in the root of
 * the sources.
 */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lauxlib.h>

#include "base/civil.h"
#include "base/digest.h"
#include "base/strmap.h"
#include "lua/record_internal.h"
#include "lua/state.h"

struct subject {
    const char *name;
    const struct event **events;
    size_t count, cap, next;
    struct record *record;
    int64_t wake;       /* of its moves */
    int64_t rules_wake; /* of its rules */
    enum subject_kind kind;
};

struct nation {
    struct ruleset *rs;
    struct arena arena;
    struct strmap names; /* to struct subject */
    struct event *events;
    size_t count, cap;
};

static struct err err;

static void check(enum err_code rc)
{
    if (rc == OK)
        return;
    fprintf(stderr, "rules: %s\n", err.msg);
    exit(1);
}

static int64_t ns_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* What this thread alone has had of a processor, which asking for takes a part of. */
static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static double cpu_cost(void)
{
    int64_t from = cpu_ns();
    for (int i = 0; i < 10000; i++)
        cpu_ns();
    return (double)(cpu_ns() - from) / 10000;
}

/* ---- figures ---- */

struct figures {
    const char *name;
    int64_t *ns;
    size_t count, cap;
};

static void note(struct figures *f, int64_t ns)
{
    if (f->count == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 1024;
        f->ns = realloc(f->ns, f->cap * sizeof(*f->ns));
    }
    f->ns[f->count++] = ns;
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void tell(struct figures *f)
{
    double sum = 0;

    if (f->count == 0)
        return;
    qsort(f->ns, f->count, sizeof(*f->ns), by_size);
    for (size_t i = 0; i < f->count; i++)
        sum += (double)f->ns[i];
    printf("  %-34s n=%-7zu mean %8.2f  p50 %8.2f  p90 %8.2f  p99 %8.2f  max %9.1f us\n", f->name,
           f->count, sum / (double)f->count / 1e3, (double)f->ns[f->count / 2] / 1e3,
           (double)f->ns[f->count * 9 / 10] / 1e3, (double)f->ns[f->count * 99 / 100] / 1e3,
           (double)f->ns[f->count - 1] / 1e3);
    free(f->ns);
    *f = (struct figures){ .name = f->name };
}

/* ---- the nation ---- */

static struct subject *subject_of(struct nation *n, const char *name)
{
    bool is_new;
    struct strmap_item *item = strmap_add(&n->names, name, strlen(name), &is_new);

    if (is_new) {
        struct subject *s = arena_alloc(&n->arena, sizeof(*s));
        s->name = name;
        s->wake = s->rules_wake = TIME_NEVER;
        check(subject_parse(&s->kind, name, strlen(name), &err));
        item->as.ptr = s;
    }
    return item->as.ptr;
}

static int by_event_order(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    struct event_key kx = { x->time, x->sequence, x->source, x->id };
    struct event_key ky = { y->time, y->sequence, y->source, y->id };
    return event_key_compare(&kx, &ky);
}

static void read_events(struct nation *n, const char *path)
{
    static const uint8_t KEY[DIGEST_BYTES] = { 0 };
    FILE *f = fopen(path, "rb");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    if (!f) {
        perror(path);
        exit(1);
    }
    while ((len = getline(&line, &cap, f)) >= 0) {
        const struct json *json = NULL;
        if (n->count == n->cap) {
            n->cap = n->cap ? n->cap * 2 : 4096;
            n->events = realloc(n->events, n->cap * sizeof(*n->events));
        }
        struct event *e = &n->events[n->count];
        check(json_parse(&json, &n->arena, line, (size_t)len, EVENT_MAX_DEPTH, &err));
        check(event_read(e, &n->arena, json, ruleset_catalog(n->rs), KEY, &err));
        if (strcmp(e->type, EVENT_VOIDED) != 0 && strcmp(e->type, EVENT_SUCCEEDED) != 0)
            n->count++;
    }
    free(line);
    fclose(f);
    qsort(n->events, n->count, sizeof(*n->events), by_event_order);
    for (size_t i = 0; i < n->count; i++) {
        for (uint32_t t = 0; t < n->events[i].touch_count; t++) {
            struct subject *s = subject_of(n, n->events[i].touches[t]);
            if (s->count == s->cap) {
                s->cap = s->cap ? s->cap * 2 : 16;
                s->events = realloc(s->events, s->cap * sizeof(*s->events));
            }
            s->events[s->count++] = &n->events[i];
        }
    }
}

/* ---- folding ---- */

static void apply(struct subject *s, const struct event *e, const struct json *data)
{
    bool known;
    struct fold_event event = { .time = e->time,
                                .type = e->type,
                                .source = e->source,
                                .id = e->id,
                                .subject = e->subject,
                                .data = data,
                                .as = &s->name,
                                .as_count = 1 };
    check(record_apply(&known, s->record, &event, &err));
}

static void ask_until(struct subject *s, int64_t before)
{
    while (s->wake < before)
        check(record_ask(&s->wake, s->record, s->wake, true, NULL, NULL, &err));
}

static __attribute__((noinline)) void fold_events(struct nation *n, struct subject *s, size_t count,
                                                  bool parses)
{
    check(record_new(&s->record, n->rs, s->name, &err));
    s->wake = TIME_NEVER;
    for (s->next = 0; s->next < count; s->next++) {
        const struct event *e = s->events[s->next];
        struct arena scratch = { 0 };
        const struct json *body = NULL, *data = e->data;
        if (parses) {
            check(json_parse(&body, &scratch, e->body, e->body_len, EVENT_MAX_DEPTH + 1, &err));
            data = json_get(body, "data");
        }
        ask_until(s, e->time);
        apply(s, e, data);
        check(record_ask(&s->wake, s->record, e->time, false, NULL, NULL, &err));
        arena_fini(&scratch);
    }
}

static void ignore(const struct judged *j, void *arg)
{
    (void)j;
    ++*(size_t *)arg;
}

static __attribute__((noinline)) void bench_fold(struct nation *n)
{
    struct figures parsed = { .name = "fold a school from scratch, parsing" };
    struct figures plain = { .name = "fold a school from scratch" };
    struct figures first = { .name = "judge it the first time" };
    size_t events = 0, schools = 0, told = 0;
    int64_t wake, spent = 0, cpu;

    for (uint32_t i = 0; i < n->names.count && schools < 2000; i++) {
        struct subject *s = n->names.items[i].as.ptr;
        if (s->kind != SUBJECT_SCHOOL || s->count < 45 || s->count > 55)
            continue;
        schools++;
        events += s->count;
        for (int parses = 0; parses < 2; parses++) {
            int64_t t = ns_now();
            cpu = cpu_ns();
            fold_events(n, s, s->count, parses);
            note(parses ? &parsed : &plain, ns_now() - t);
            if (!parses) {
                spent += cpu_ns() - cpu;
                t = ns_now();
                check(record_rejudge(&wake, s->record, s->events[s->count - 1]->time, ignore, &told,
                                     &err));
                note(&first, ns_now() - t);
            }
            record_free(s->record);
            s->record = NULL;
        }
    }
    printf("from scratch: schools of %.1f events, %.2f us of processor an event\n",
           (double)events / (double)schools, (double)spent / 1e3 / (double)events);
    tell(&parsed);
    tell(&plain);
    tell(&first);
}

/* ---- live records ---- */

static size_t c_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* All records as they stand after all but the last `live` events. */
static __attribute__((noinline)) void bench_memory(struct nation *n, size_t live)
{
    int64_t end = n->events[n->count - live].time, t = ns_now();
    size_t told = 0, schools = 0, events = 0;
    struct figures folds = { .name = "fold (all subjects)" };
    lua_State *L = n->rs->sandbox.L;

    lua_gc(L, LUA_GCCOLLECT);
    size_t lua = n->rs->sandbox.used, c = c_bytes();
    for (uint32_t i = 0; i < n->names.count; i++) {
        struct subject *s = n->names.items[i].as.ptr;
        size_t count = 0;
        while (count < s->count && s->events[count] < &n->events[n->count - live])
            count++;
        int64_t from = ns_now();
        fold_events(n, s, count, false);
        note(&folds, ns_now() - from);
        ask_until(s, end);
        check(record_rejudge(&s->rules_wake, s->record, end, ignore, &told, &err));
        schools += s->kind == SUBJECT_SCHOOL;
        events += count;
    }
    double took = (double)(ns_now() - t) / 1e9;
    size_t before_gc = n->rs->sandbox.used;
    int64_t from = ns_now();
    lua_gc(L, LUA_GCCOLLECT);
    double full = (double)(ns_now() - from) / 1e6;
    /* Lua's own allocations are malloc's too. */
    double lua_after = (double)(n->rs->sandbox.used - lua);
    double c_after = (double)(c_bytes() - c);
    printf("all live: %u subjects, %zu schools, %zu events, %.2f s\n", n->names.count, schools,
           events, took);
    tell(&folds);
    printf("  memory: Lua %.1f MiB (%.1f before a full collection, which takes %.0f ms), all %.1f "
           "MiB\n",
           lua_after / 1048576, (double)(before_gc - lua) / 1048576, full, c_after / 1048576);
    printf("  a subject: Lua %.0f bytes, all %.0f bytes\n", lua_after / (double)n->names.count,
           c_after / (double)n->names.count);
}

/* Memory of the schools alone, and of the groups alone. */
static __attribute__((noinline)) void bench_kinds(struct nation *n, size_t live)
{
    size_t told = 0;

    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        lua_gc(n->rs->sandbox.L, LUA_GCCOLLECT);
        size_t lua = n->rs->sandbox.used, c = c_bytes(), count = 0;
        for (uint32_t i = 0; i < n->names.count; i++) {
            struct subject *s = n->names.items[i].as.ptr;
            if ((int)s->kind != kind)
                continue;
            fold_events(n, s, s->count, false);
            check(record_rejudge(&s->rules_wake, s->record, n->events[n->count - live].time, ignore,
                                 &told, &err));
            count++;
        }
        lua_gc(n->rs->sandbox.L, LUA_GCCOLLECT);
        if (count)
            printf("memory of a %s: Lua %.0f, all %.0f bytes\n",
                   subject_kind_name((enum subject_kind)kind),
                   (double)(n->rs->sandbox.used - lua) / (double)count,
                   (double)(c_bytes() - c) / (double)count);
        for (uint32_t i = 0; i < n->names.count; i++) {
            struct subject *s = n->names.items[i].as.ptr;
            record_free(s->record);
            s->record = NULL;
        }
    }
}

/* An event into a live record, and when each of the three steps had ended. */
static __attribute__((noinline)) void take_event(struct subject *s, const struct event *e,
                                                 const struct json *data, int64_t *applied,
                                                 int64_t *asked, int64_t *judged, size_t *told)
{
    apply(s, e, data);
    *applied = ns_now();
    check(record_ask(&s->wake, s->record, e->time, false, NULL, NULL, &err));
    *asked = ns_now();
    check(record_rejudge(&s->rules_wake, s->record, e->time, ignore, told, &err));
    *judged = ns_now();
}

static __attribute__((noinline)) void bench_live(struct nation *n, size_t live)
{
    struct figures of_apply = { .name = "record_apply" }, of_ask = { .name = "record_ask" },
                   of_judge = { .name = "record_rejudge" },
                   school = { .name = "event into a live school" },
                   group = { .name = "event into a live group" },
                   wakes = { .name = "rejudge for a moment" },
                   nothing = { .name = "rejudge, nothing touched" };
    size_t told = 0;
    uint64_t runs = ruleset_runs(n->rs);
    int64_t start = ns_now(), cpu = 0;
    double cost = cpu_cost();
    struct arena scratch = { 0 };

    for (size_t i = n->count - live; i < n->count; i++) {
        const struct event *e = &n->events[i];
        const struct json *body = NULL; /* as it comes from the door, just parsed */
        arena_reset(&scratch);
        check(json_parse(&body, &scratch, e->body, e->body_len, EVENT_MAX_DEPTH + 1, &err));
        for (uint32_t k = 0; k < e->touch_count; k++) {
            struct subject *s = subject_of(n, e->touches[k]);
            ask_until(s, e->time);
            if (s->rules_wake < e->time) {
                int64_t t = ns_now();
                check(record_rejudge(&s->rules_wake, s->record, e->time - 1, ignore, &told, &err));
                note(&wakes, ns_now() - t);
            }
            int64_t before = cpu_ns(), t0 = ns_now(), t1, t2, t3;
            take_event(s, e, json_get(body, "data"), &t1, &t2, &t3, &told);
            cpu += cpu_ns() - before;
            note(&of_apply, t1 - t0);
            note(&of_ask, t2 - t1);
            note(&of_judge, t3 - t2);
            note(s->kind == SUBJECT_SCHOOL ? &school : &group, t3 - t0);
            if (k == 0) {
                check(record_rejudge(&s->rules_wake, s->record, e->time, ignore, &told, &err));
                note(&nothing, ns_now() - t3);
            }
        }
    }
    double took = (double)(ns_now() - start) / 1e9;
    arena_fini(&scratch);
    printf("live: %zu events, %zu subjects touched, %.2f s, %.1f rules run a touch, %zu told\n"
           "  an event into a subject: %.2f us of processor\n",
           live, of_apply.count, took,
           (double)(ruleset_runs(n->rs) - runs) / (double)of_apply.count, told,
           ((double)cpu / (double)of_apply.count - cost) / 1e3);
    tell(&of_apply);
    tell(&of_ask);
    tell(&of_judge);
    tell(&school);
    tell(&group);
    tell(&wakes);
    tell(&nothing);
}

/* ---- all rules of warm records, and the same functions over plain tables ---- */

/* A fact as a plain table: a set as a list with a table of what is there, a map as one. */
static void push_plain(lua_State *L, const struct shape *shape, struct cell cell)
{
    const struct node *n = cell_node(cell);
    enum type_kind kind = shape->type->kind;

    luaL_checkstack(L, 10, "facts too deep");
    if (type_is_scalar(shape->type)) {
        value_push(L, ruleset_of(L), cell);
        return;
    }
    lua_newtable(L);
    if (kind == TYPE_SET)
        lua_newtable(L);
    for (uint32_t i = 0; n && i < n->used; i += shape->width) {
        if (kind == TYPE_ROW) {
            push_plain(L, shape->fields[i].shape, n->cells[i]);
            lua_setfield(L, -2, shape->fields[i].name);
        } else if (kind == TYPE_MAP) {
            push_plain(L, shape->key, n->cells[i]);
            push_plain(L, shape->of, n->cells[i + 1]);
            lua_rawset(L, -3);
        } else {
            push_plain(L, shape->of, n->cells[i]);
            if (kind == TYPE_SET) {
                lua_pushvalue(L, -1);
                lua_pushboolean(L, 1);
                lua_rawset(L, -4);
                lua_rawseti(L, -3, i + 1);
            } else {
                lua_rawseti(L, -2, i + 1);
            }
        }
    }
    if (kind == TYPE_SET)
        lua_setfield(L, -2, "there");
    if (kind == TYPE_MAP) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "is_map");
    }
}

static void push_facts(lua_State *L, const struct record *r)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];

    lua_newtable(L);
    for (uint16_t i = 0; i < defs->fact_count; i++) {
        struct cell cell = cell_is_nil(r->facts[i]) ? defs->facts[i].initial : r->facts[i];
        push_plain(L, defs->facts[i].shape, cell);
        lua_setfield(L, -2, defs->facts[i].name);
    }
}

static void lua_check(lua_State *L, int status)
{
    if (status == LUA_OK)
        return;
    fprintf(stderr, "rules: %s\n", lua_tostring(L, -1));
    exit(1);
}

/* Leaves the function that makes judges on the stack. */
static void load_plain(struct ruleset *rs)
{
    lua_State *L = rs->sandbox.L;
    struct ruleset_file file;

    lua_check(L, luaL_loadfile(L, "tests/bench/plain.lua"));
    lua_newtable(L);
    for (int i = 0; ruleset_file_at(&file, rs, i); i++) {
        /* words.lua is imported by the others. */
        bool is_words = strstr(file.path, "words.lua") != NULL;
        if (strstr(file.path, "tests_"))
            continue;
        lua_createtable(L, 2, 0);
        lua_pushlstring(L, strchr(file.path, '/') + 1, strcspn(strchr(file.path, '/') + 1, "."));
        lua_rawseti(L, -2, 1);
        lua_pushlstring(L, file.text, file.len);
        lua_rawseti(L, -2, 2);
        if (is_words) /* moves up to the front */
            for (int k = (int)lua_rawlen(L, -2); k > 0; k--) {
                lua_rawgeti(L, -2, k);
                lua_rawseti(L, -3, k + 1);
            }
        lua_rawseti(L, -2, is_words ? 1 : (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, rs->env);
    lua_check(L, lua_pcall(L, 2, 1, 0));
}

static __attribute__((noinline)) void bench_judge(struct nation *n)
{
    struct figures judge = { .name = "judge all of a warm school" },
                   rejudge = { .name = "the same, all touched" },
                   plain = { .name = "the same functions, plain tables" };
    lua_State *L = n->rs->sandbox.L;
    int64_t now = n->events[n->count - 1].time, wake;
    size_t told = 0, schools = 0;
    int rules = 0;

    load_plain(n->rs);
    lua_gc(L, LUA_GCCOLLECT);
    for (uint32_t i = 0; i < n->names.count && schools < 1000; i++) {
        struct subject *s = n->names.items[i].as.ptr;
        if (s->kind != SUBJECT_SCHOOL)
            continue;
        schools++;
        fold_events(n, s, s->count, false);
        check(record_judge(s->record, now, ignore, &told, &err));
        int64_t t = ns_now();
        check(record_judge(s->record, now, ignore, &told, &err));
        note(&judge, ns_now() - t);
        check(record_rejudge(&wake, s->record, now, ignore, &told, &err));
        for (uint16_t f = 0; f < n->rs->subjects[s->kind].fact_count; f++)
            record_touch(s->record, f);
        t = ns_now();
        check(record_rejudge(&wake, s->record, now, ignore, &told, &err));
        note(&rejudge, ns_now() - t);
        lua_pushvalue(L, -1);
        push_facts(L, s->record);
        lua_pushinteger(L, now);
        lua_check(L, lua_pcall(L, 2, 2, 0));
        rules = (int)lua_tointeger(L, -1);
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_check(L, lua_pcall(L, 0, 0, 0));
        t = ns_now();
        lua_check(L, lua_pcall(L, 0, 0, 0));
        note(&plain, ns_now() - t);
        record_free(s->record);
        s->record = NULL;
    }
    printf("all rules: %d decisions and criteria; plain: %d rules\n",
           n->rs->subjects[SUBJECT_SCHOOL].rule_count, rules);
    tell(&judge);
    tell(&rejudge);
    tell(&plain);
    lua_settop(L, 0);
}

/* A run that two ticks of the thread's timer have met is to be repeated by who has its events,
 * which nobody has here; the timer was made when the rules were loaded. */
static void never_be_suspect(void)
{
    sigset_t ticks;
    sigemptyset(&ticks);
    sigaddset(&ticks, SIGVTALRM);
    pthread_sigmask(SIG_BLOCK, &ticks, NULL);
}

int main(int argc, char **argv)
{
    struct nation n = { 0 };
    const char *parts = argc > 4 ? argv[4] : "fjml";
    size_t live = argc > 3 ? (size_t)atol(argv[3]) : 20000;

    if (argc < 3) {
        fprintf(stderr, "usage: rules RULES EVENTS.ndjson [LIVE [PARTS]]\n");
        return 2;
    }
    check(civil_init(&err));
    check(digest_init(&err));
    check(ruleset_load(&n.rs, argv[1], NULL, &err));
    never_be_suspect();
    read_events(&n, argv[2]);
    if (live > n.count / 2)
        live = n.count / 2;
    printf("%zu events\n", n.count);
    if (strchr(parts, 'f'))
        bench_fold(&n);
    if (strchr(parts, 'j'))
        bench_judge(&n);
    if (strchr(parts, 'm'))
        bench_kinds(&n, live);
    if (!strchr(parts, 'l'))
        return 0;
    bench_memory(&n, live);
    bench_live(&n, live);
    return 0;
}
