/* log_list.c - see log.h. Where the log ends, the list of commits, and what is known of
 * subjects. */
#include "store/log.h"

#include <string.h>

#include "store/internal.h"

enum err_code log_last_seq(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT max(seq) FROM event_row";

    *out = s->last_seq;
    return s->mode == STORE_READ ? stmt_int(out, s, SQL, 0, "find the end of the log", err) : OK;
}

enum err_code log_last_recorded(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT recorded FROM event_commit_row ORDER BY number DESC LIMIT 1";
    return stmt_int(out, s, SQL, INT64_MIN, "read the last commit", err);
}

enum err_code log_last_commit(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT max(number) FROM event_commit_row";
    return stmt_int(out, s, SQL, 0, "read the last commit", err);
}

enum err_code log_generation_of(int64_t *out, struct store *s, int64_t commit, struct err *err)
{
    static const char SQL[] = "SELECT generation FROM event_commit_row WHERE number = ?1";
    sqlite3_stmt *st;
    bool row;

    *out = 0;
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, commit);
    rc = stmt_row(&row, s, st, "read the commit list", err);
    if (rc == OK && row)
        *out = sqlite3_column_int64(st, 0);
    stmt_done(st);
    return rc;
}

int64_t log_commits(const struct store *s)
{
    return s->last_commit;
}

int64_t log_tip(const struct store *s)
{
    return s->last_seq;
}

int64_t log_changes(const struct store *s)
{
    return s->last_change;
}

static enum err_code recorded_of(int64_t *out, struct store *s, int64_t seq, struct err *err)
{
    static const char SQL[] = "SELECT recorded FROM event_row WHERE seq = ?1";
    sqlite3_stmt *st;
    bool row;

    *out = INT64_MIN;
    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    rc = stmt_row(&row, s, st, "read an event", err);
    if (rc == OK && row)
        *out = sqlite3_column_int64(st, 0);
    stmt_done(st);
    return rc;
}

/* Numbers have no gaps and recorded times never fall, so halving needs no index. */
enum err_code log_seq_known_at(int64_t *out, struct store *s, int64_t known, struct err *err)
{
    int64_t high, at, low = 0;

    *out = 0;
    enum err_code rc = log_last_seq(&high, s, err);
    while (rc == OK && low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        rc = recorded_of(&at, s, middle, err);
        if (at <= known)
            low = middle;
        else
            high = middle - 1;
    }
    *out = low;
    return rc;
}

enum err_code log_scan_commits(struct store *s, int64_t after, logged_commit_fn *fn, void *arg,
                               struct err *err)
{
    static const char SQL[] =
        "SELECT c.number, c.first, c.last, c.recorded, c.generation, j.subjects"
        " FROM event_commit_row c LEFT JOIN commit_judged j ON j.number = c.number"
        " WHERE c.number > ?1 ORDER BY c.number";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, after);
    while ((rc = stmt_row(&row, s, st, "read the commit list", err)) == OK && row) {
        struct logged_commit c = {
            .number = sqlite3_column_int64(st, 0),
            .first = sqlite3_column_int64(st, 1),
            .last = sqlite3_column_int64(st, 2),
            .recorded = sqlite3_column_int64(st, 3),
            .generation = sqlite3_column_int64(st, 4),
            .judged = column_text(st, 5),
        };
        rc = fn(&c, arg, err);
        if (rc != OK) {
            stmt_done(st);
            break;
        }
    }
    return rc;
}

enum err_code log_successors(struct store *s, const char *subject, int64_t max_seq,
                             successor_fn *fn, void *arg, struct err *err)
{
    struct dict_entry *entry;

    enum err_code rc = dict_find(&entry, s, DICT_SUBJECT, subject, err);
    for (const struct successor *next = rc == OK && entry ? entry->successors : NULL;
         rc == OK && next; next = next->next)
        if (next->seq <= max_seq)
            rc = fn(next->subject->text, arg, err);
    return rc;
}

bool log_is_new(const struct store *s, const char *subject, int64_t seq)
{
    const struct strmap_item *item =
        strmap_find(&s->dicts[DICT_SUBJECT].by_text, subject, strlen(subject));
    return item && ((const struct dict_entry *)item->as.ptr)->first >= seq;
}

bool log_is_named_by_void(const struct store *s, const char *source, const char *id)
{
    return voided_has(s, source, id);
}

/* Their numbers follow the order in which they were met. */
enum err_code log_subjects(struct store *s, subject_fn *fn, void *arg, struct err *err)
{
    struct dict *d = &s->dicts[DICT_SUBJECT];

    if (s->mode == STORE_READ) {
        enum err_code rc = dict_load(s, DICT_SUBJECT, err);
        d->next_id = 0; /* a reader will see more of them */
        if (rc != OK)
            return rc;
    }
    for (int64_t id = 1; id < d->cap; id++)
        if (d->by_id[id])
            fn(d->by_id[id]->text, arg);
    return OK;
}
