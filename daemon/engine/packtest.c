/* packtest.c - see packtest.h. Each test has a log of its own in memory, so that its events pass
 * the same doors as real ones. */
#include "engine/packtest.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/append.h"
#include "engine/fold.h"
#include "lua/packtests.h"

struct runner {
    struct packtest_counts *counts;
    struct rulebook *rules;
    struct ruleset *of;        /* whose tests are run */
    struct store *store;       /* in memory: what a test appends is undone after it */
    struct coverage *coverage; /* NULL: nobody counts */
    packtest_fn *fn;
    void *arg;
};

static void report(struct runner *r, const char *name, const char *where, const char *detail)
{
    if (detail)
        r->counts->failed++;
    else
        r->counts->passed++;
    r->fn(name, where, detail, r->arg);
}

static void malformed(const char *name, const char *where, const char *why, void *arg)
{
    struct buf detail = { 0 };

    buf_printf(&detail, "  %s\n", why);
    report(arg, name, where, buf_cstr(&detail));
    buf_fini(&detail);
}

/* ERR_INPUT: an event that the door refuses; it is the test's failure. */
static enum err_code append_given(struct store *s, struct rulebook *rules,
                                  const struct pack_test *t, struct err *err)
{
    struct arena arena = { 0 };
    enum err_code rc = OK;

    for (int i = 0; i < t->event_count && rc == OK; i++) {
        const struct json *json = NULL;
        struct event event;
        enum append_status status;
        int64_t seq;
        rc = json_parse(&json, &arena, t->events[i], strlen(t->events[i]), EVENT_MAX_DEPTH, err);
        if (rc == OK)
            rc = event_read(&event, &arena, json, rulebook_catalog(rules), store_note_key(s), err);
        if (rc != OK) {
            err_at(err, "given %d", i + 1);
            break;
        }
        rc = append_event(&status, &seq, s, &event, 0, NULL, err);
    }
    arena_fini(&arena);
    return rc;
}

struct expectation {
    const struct pack_test_expect *expect;
    struct buf actual;
    bool found;
};

static void take_judged(const struct judged *j, void *arg)
{
    struct expectation *x = arg;
    if (strcmp(j->name, x->expect->decision) != 0)
        return;
    x->found = true;
    buf_str(&x->actual, j->is_error ? "error " : "");
    buf_str(&x->actual, j->value);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sort the words of a text and drop those that repeat. */
static void sort_words(struct buf *text)
{
    char *words[256], *rest = NULL, *copy = buf_take(text);
    size_t count = 0;

    for (char *w = copy ? strtok_r(copy, " ", &rest) : NULL; w && count < 256;
         w = strtok_r(NULL, " ", &rest))
        words[count++] = w;
    qsort(words, count, sizeof(words[0]), by_text);
    *text = (struct buf){ 0 };
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(words[i], words[i - 1]) != 0)
            buf_printf(text, "%s%s", text->len ? " " : "", words[i]);
    free(copy);
}

static void check_missing(struct buf *detail, const struct pack_test *t, struct fold *f)
{
    struct buf why = { 0 }, missing = { 0 };
    struct err err;

    for (int i = 0; i < t->expect_count; i++) {
        buf_str(&missing, " ");
        if (record_explain(&why, &missing, f->record, t->expects[i].decision, t->at, &err) != OK)
            buf_printf(&why, "  %s\n", err.msg);
    }
    sort_words(&missing);
    if (strcmp(buf_cstr(&missing), t->missing) != 0)
        buf_printf(detail, "  missing: expected \"%s\", found \"%s\"\n%s", t->missing,
                   buf_cstr(&missing), buf_cstr(&why));
    buf_fini(&why);
    buf_fini(&missing);
}

static void add_unknown(struct buf *detail, const struct pack_test *t,
                        const struct pack_test_expect *expect, const struct fold *f)
{
    enum subject_kind kind = SUBJECT_SCHOOL;
    char hint[200];
    int count = 0;

    if (subject_parse(&kind, t->subject, strlen(t->subject), NULL) != OK)
        return;
    const char *const *names = ruleset_decisions(record_ruleset(f->record), kind, &count);
    buf_printf(detail, "  expect: there is no decision '%s' about %s%s\n", expect->decision,
               t->subject,
               text_hint(hint, sizeof(hint), expect->decision, names, names ? (size_t)count : 0));
}

static enum err_code check_expect(struct buf *detail, const struct pack_test *t,
                                  const struct pack_test_expect *expect, struct fold *f,
                                  struct err *err)
{
    struct expectation x = { .expect = expect };
    struct err ignored;

    enum err_code rc = record_judge(f->record, t->at, take_judged, &x, err);
    if (rc == OK && !x.found) {
        add_unknown(detail, t, expect, f);
    } else if (rc == OK && strcmp(buf_cstr(&x.actual), expect->value) != 0) {
        buf_printf(detail, "  %s: expected %s, found %s\n", expect->decision, expect->value,
                   buf_cstr(&x.actual));
        if (record_explain(detail, NULL, f->record, expect->decision, t->at, &ignored) != OK)
            buf_printf(detail, "  %s\n", ignored.msg);
    }
    buf_fini(&x.actual);
    return rc;
}

static enum err_code check(struct buf *detail, struct runner *r, struct store *s,
                           const struct pack_test *t, struct err *err)
{
    struct world *w = NULL;
    struct fold f = { 0 };

    enum err_code rc = world_open(&w, s, INT64_MAX, err);
    if (rc == OK)
        rc = fold_subject_of(&f, r->rules, r->of, w, t->subject, t->at, err);
    for (const struct fault *fault = f.faults; rc == OK && fault; fault = fault->next)
        buf_printf(detail, "  %s\n", fault->message);
    for (int i = 0; i < t->expect_count && rc == OK; i++)
        rc = check_expect(detail, t, &t->expects[i], &f, err);
    if (rc == OK && t->missing)
        check_missing(detail, t, &f);
    if (rc == OK && r->coverage)
        rc = coverage_take(r->coverage, f.record, t->at, err);
    fold_fini(&f);
    world_close(w);
    return rc;
}

/* The log of each test is a transaction that is never committed: to make a database for each of
 * them would take far longer than the tests. */
static enum err_code run_test(const struct pack_test *t, void *arg, struct err *err)
{
    struct runner *r = arg;
    struct buf detail = { 0 };

    if (store_begin(r->store, err) != OK)
        return err->code;
    enum err_code rc = append_given(r->store, r->rules, t, err);
    if (rc == ERR_INPUT || rc == ERR_LIMIT) {
        buf_printf(&detail, "  %s\n", err->msg);
        rc = OK;
    } else if (rc == OK) {
        rc = check(&detail, r, r->store, t, err);
    }
    store_rollback(r->store);
    if (rc == OK)
        rc = store_reload(r->store, err);
    if (rc == OK)
        report(r, t->name, t->where, detail.len ? buf_cstr(&detail) : NULL);
    buf_fini(&detail);
    return rc;
}

enum err_code packtest_cover(struct packtest_counts *out, struct rulebook *rules, int only,
                             struct coverage *coverage, packtest_fn *fn, void *arg, struct err *err)
{
    struct runner r = { .counts = out, .rules = rules, .coverage = coverage, .fn = fn, .arg = arg };

    *out = (struct packtest_counts){ 0 };
    enum err_code rc = store_open(&r.store, NULL, STORE_MEMORY, err);
    for (int i = rulebook_is_one_overlay(rules); rc == OK && (r.of = rulebook_at(rules, i)); i++)
        if (only < 0 || i == only)
            rc = ruleset_each_test(r.of, run_test, malformed, &r, err);
    store_close(r.store);
    return rc;
}

enum err_code packtest_run(struct packtest_counts *out, struct rulebook *rules, packtest_fn *fn,
                           void *arg, struct err *err)
{
    return packtest_cover(out, rules, -1, NULL, fn, arg, err);
}
