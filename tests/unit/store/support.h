/* support.h - a folder of its own for each test of the store, and short ways to fill a log. */
#ifndef PATHWAY_TEST_STORE_SUPPORT_H
#define PATHWAY_TEST_STORE_SUPPORT_H

#include "tests/unit/harness.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/digest.h"
#include "store/derived.h"
#include "store/internal.h"
#include "store/log.h"
#include "store/store.h"

#define END INT64_MAX /* as max_seq: the whole log */

struct scratch {
    char dir[64];
    char path[96]; /* of a database that does not exist yet */
};

static inline int scratch_new(void **state)
{
    struct scratch *x = calloc(1, sizeof(*x));
    if (!x || digest_init(&err) != OK)
        return -1;
    snprintf(x->dir, sizeof(x->dir), "/tmp/pathway-store-XXXXXX");
    if (!mkdtemp(x->dir))
        return -1;
    snprintf(x->path, sizeof(x->path), "%s/pathway.db", x->dir);
    *state = x;
    return 0;
}

static inline int scratch_free(void **state)
{
    struct scratch *x = *state;
    struct dirent *entry;
    char path[512];

    DIR *dir = opendir(x->dir);
    while (dir && (entry = readdir(dir))) {
        snprintf(path, sizeof(path), "%s/%s", x->dir, entry->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(x->dir);
    free(x);
    return 0;
}

#define SCRATCH(fn) CASE_WITH(fn, scratch_new, scratch_free)

static inline struct store *open_store(const char *path, enum store_mode mode)
{
    struct store *s = NULL;
    assert_ok(store_open(&s, path, mode, &err));
    return s;
}

/* Run SQL on the file behind the store's back. */
static inline void run_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The first column of the first row as an integer; -1 when there is none. */
static inline int64_t ask_sql(struct store *s, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int64_t found = -1;
    if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(s->db));
    if (sqlite3_step(st) == SQLITE_ROW)
        found = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return found;
}

/* An event as event_read() would give it: enough of one for the store. */
struct sent {
    const char *id;
    const char *subject;
    const char *also;     /* a second subject touched; NULL: none */
    const char *sequence; /* NULL: absent */
    const char *voids;    /* the id it voids; NULL: none */
    const char *content;
    int64_t recorded;
};

static inline enum err_code send(enum append_status *status, int64_t *seq, struct store *s,
                                 const struct sent *x)
{
    const char *subject = x->subject ? x->subject : "school/100001";
    const char *touches[] = { subject, x->also };
    struct buf body = { 0 };

    buf_printf(&body, "{\"data\":{\"x\":\"%s\"},\"id\":\"%s\",", x->content ? x->content : "",
               x->id);
    if (x->sequence)
        buf_printf(&body, "\"sequence\":\"%s\",", x->sequence);
    buf_printf(&body, "\"source\":\"urn:hub:07\",\"subject\":\"%s\",", subject);
    buf_str(&body, "\"time\":\"1970-01-01T00:00:07Z\",\"type\":\"lead.named\"}");
    const struct event e = {
        .time = 7 * US_PER_S,
        .sequence = x->sequence,
        .source = "urn:hub:07",
        .id = x->id,
        .type = "lead.named",
        .subject = subject,
        .body = buf_cstr(&body),
        .body_len = (uint32_t)body.len,
        .touches = touches,
        .touch_count = x->also ? 2 : 1,
    };
    enum err_code rc = body.failed ? err_set(&err, ERR_LIMIT, "no memory for an event")
                                   : log_append(status, seq, s, &e, x->recorded, "hub-07",
                                                x->voids ? "urn:hub:07" : NULL, x->voids, &err);
    buf_fini(&body);
    return rc;
}

/* Append inside the open transaction; its number. */
static inline int64_t append(struct store *s, const struct sent *x)
{
    enum append_status status;
    int64_t seq = 0;
    assert_ok(send(&status, &seq, s, x));
    assert_int_equal(status, APPEND_ACCEPTED);
    return seq;
}

/* Append and list a commit of its own. */
static inline int64_t append_alone(struct store *s, const struct sent *x)
{
    int64_t number;
    assert_ok(store_begin(s, &err));
    int64_t seq = append(s, x);
    assert_ok(log_add_commit(&number, s, seq, seq, x->recorded, 1, NULL, &err));
    assert_ok(store_commit(s, &err));
    return seq;
}

/* Undo what the open transaction has appended, in memory too. */
static inline void undo(struct store *s)
{
    store_rollback(s);
    assert_ok(store_reload(s, &err));
}

/* Callbacks that write what they are shown into a struct buf: "1:e1 2:e2 ". */
static inline enum err_code note_id(const struct logged *e, void *arg, struct err *e2)
{
    (void)e2;
    buf_printf(arg, "%lld:%s ", (long long)e->seq, e->id);
    return OK;
}

static inline void note_text(const char *text, void *arg)
{
    buf_printf(arg, "%s ", text);
}

static inline enum err_code note_decision(struct slice name, struct slice value, void *arg,
                                          struct err *e2)
{
    (void)e2;
    buf_printf(arg, "%.*s=%.*s ", (int)name.len, name.at, (int)value.len, value.at);
    return OK;
}

/* The current decisions of a subject, added to what was collected. */
static inline void note_decisions(struct buf *b, struct store *s, const char *subject)
{
    const char *names, *values;
    assert_ok(decisions_of(&names, &values, s, subject, &err));
    assert_ok(decisions_each(names, values, note_decision, b, &err));
}

/* Compare what was collected, and start anew. */
static inline void assert_collected(struct buf *b, const char *expected)
{
    assert_string_equal(buf_cstr(b), expected);
    buf_reset(b);
}

#endif
