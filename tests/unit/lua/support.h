/* support.h - packs as texts, events as JSON, for the tests of the Lua layer. */
#ifndef PATHWAY_TEST_LUA_SUPPORT_H
#define PATHWAY_TEST_LUA_SUPPORT_H

#include "tests/unit/harness.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/digest.h"
#include "lua/record.h"
#include "lua/rulebook.h"
#include "lua/state.h"

struct pack_file {
    const char *name; /* "pack.lua" */
    const char *text;
};

/* A rules folder with national/ in it, for one load. */
struct folder {
    char root[64];
    char national[80];
};

static inline struct folder folder_new(void)
{
    struct folder f;
    snprintf(f.root, sizeof(f.root), "/tmp/pathway-XXXXXX");
    assert_non_null(mkdtemp(f.root));
    snprintf(f.national, sizeof(f.national), "%s/national", f.root);
    assert_int_equal(mkdir(f.national, 0700), 0);
    return f;
}

static inline void folder_write(const struct folder *f, const struct pack_file *file)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", f->national, file->name);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fputs(file->text, out);
    assert_int_equal(fclose(out), 0);
}

static inline void folder_remove(const struct folder *f, const struct pack_file *files, int count)
{
    char path[200];
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%s", f->national, files[i].name);
        unlink(path);
    }
    rmdir(f->national);
    rmdir(f->root);
}

/* For tests of what guards behind frozen tables: packs loaded from here on keep theirs as they
 * were. */
static bool LEAVES_THAWED;

/* Load files as a pack. What is wrong with it is left in `said`, one problem a line, without the
 * folder that differs in every run. */
static inline struct ruleset *load_files(const struct pack_file *files, int count, char *said,
                                         size_t size)
{
    struct ruleset *rs = NULL;
    struct problems problems = { .leaves_thawed = LEAVES_THAWED };
    struct folder f = folder_new();
    char root[70];

    assert_ok(civil_init(&err));
    assert_ok(digest_init(&err));
    for (int i = 0; i < count; i++)
        folder_write(&f, &files[i]);
    enum err_code rc = ruleset_load(&rs, f.root, &problems, &err);
    folder_remove(&f, files, count);
    assert_true((rc == OK) == (problems.count == 0));
    assert_true((rc == OK) == (rs != NULL));

    int root_len = snprintf(root, sizeof(root), "%s/", f.root);
    size_t len = 0;
    for (const struct problem *p = problems.first; p; p = p->next) {
        for (const char *at = p->text; *at && len + 2 < size;) {
            if (strncmp(at, root, (size_t)root_len) == 0)
                at += root_len;
            else
                said[len++] = *at++;
        }
        if (p->next && len + 2 < size)
            said[len++] = '\n';
    }
    said[len] = '\0';
    problems_fini(&problems);
    return rs;
}

/* The same as a rulebook, for the layers above. */
static inline struct rulebook *load_rulebook(const char *text)
{
    struct rulebook *b = NULL;
    const struct ruleset_file file = { .path = "national/pack.lua",
                                       .text = text,
                                       .len = strlen(text) };

    assert_ok(civil_init(&err));
    assert_ok(digest_init(&err));
    if (rulebook_load_files(&b, &file, 1, NULL, &err) != OK)
        fail_msg("%s\n%s", err.msg, text);
    return b;
}

/* A pack of one file that must be good. */
static inline struct ruleset *load_pack(const char *text)
{
    char said[8192];
    struct ruleset *rs = load_files(&(struct pack_file){ "pack.lua", text }, 1, said, sizeof(said));
    if (!rs)
        fail_msg("%s\n%s", said, text);
    return rs;
}

/* What is wrong with a pack of one file. */
static inline const char *problems_of(const char *text)
{
    static char said[8192];
    ruleset_free(load_files(&(struct pack_file){ "pack.lua", text }, 1, said, sizeof(said)));
    return said;
}

static inline int64_t at(const char *moment)
{
    int64_t t = 0;
    assert_ok(moment_parse(&t, moment, &err));
    return t;
}

static inline struct record *new_record(struct ruleset *rs, const char *subject)
{
    struct record *r = NULL;
    assert_ok(record_new(&r, rs, subject, &err));
    return r;
}

/* What runs next is counted, so that it is never stopped as suspect, to be repeated: on a slow
 * machine that can happen to any run, and who calls these has no events to fold anew. */
static inline void count_steps(struct record *r)
{
    record_ruleset(r)->sandbox.counts = true;
}

/* Take an event in that is about the record's own subject. "" or the message of its reducer. */
static inline const char *try_event(struct record *r, const char *subject, const char *type,
                                    const char *time, const char *data)
{
    static struct err why;
    struct arena arena = { 0 };
    const struct json *json = NULL;
    bool known = false;

    assert_ok(json_parse(&json, &arena, data, strlen(data), 64, &err));
    struct fold_event e = { .time = at(time),
                            .type = type,
                            .source = "urn:test",
                            .id = "1",
                            .subject = subject,
                            .data = json,
                            .as = &subject,
                            .as_count = 1 };
    count_steps(r);
    enum err_code rc = record_apply(&known, r, &e, &why);
    arena_fini(&arena);
    assert_true(known);
    return rc == OK ? "" : why.msg;
}

#define SCHOOL "school/100001"

static inline void take_event(struct record *r, const char *type, const char *time,
                              const char *data)
{
    const char *message = try_event(r, SCHOOL, type, time, data);
    if (message[0])
        fail_msg("%s: %s", type, message);
}

static inline int64_t ask(struct record *r, const char *time)
{
    int64_t wake = 0;
    count_steps(r);
    assert_ok(record_ask(&wake, r, at(time), false, NULL, NULL, &err));
    return wake;
}

struct answer {
    const char *decision;
    char value[1024];
    bool is_error;
    bool found;
    int64_t wake;
};

static inline void take_answer(const struct judged *j, void *arg)
{
    struct answer *a = arg;
    if (strcmp(j->name, a->decision) != 0)
        return;
    snprintf(a->value, sizeof(a->value), "%s%s", j->is_error ? "error " : "", j->value);
    a->is_error = j->is_error;
    a->wake = j->wake;
    a->found = true;
}

static inline struct answer judge(struct record *r, const char *time, const char *decision)
{
    struct answer a = { .decision = decision };
    assert_ok(record_judge(r, at(time), take_answer, &a, &err));
    if (!a.found)
        fail_msg("there is no decision %s", decision);
    return a;
}

#define assert_decision(r, time, decision, expected)                                               \
    do {                                                                                           \
        struct answer answer_ = judge(r, time, decision);                                          \
        assert_string_equal(answer_.value, expected);                                              \
    } while (0)

static inline const char *facts_of(struct record *r)
{
    static char text[4096];
    struct buf out = { 0 };
    assert_ok(record_write_facts(&out, r, &err));
    snprintf(text, sizeof(text), "%s", buf_cstr(&out));
    buf_fini(&out);
    return text;
}

static inline const char *time_of(int64_t t)
{
    static char text[TIME_TEXT];
    return t == TIME_NEVER ? "never" : time_text(t, text);
}

#endif
