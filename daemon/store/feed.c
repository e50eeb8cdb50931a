/* feed.c - see derived.h. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "store/derived.h"
#include "store/internal.h"

static const char *keep(struct store *s, const char *text, bool *ok)
{
    const char *copy = text ? arena_strdup(&s->open->arena, text) : NULL;
    *ok = *ok && (copy || !text);
    return copy;
}

enum err_code feed_append(int64_t *seq, struct store *s, const struct change *c, struct err *err)
{
    struct dict_entry *subject, *decision;
    bool ok = true;

    *seq = 0;
    enum err_code rc = dict_intern(&subject, s, DICT_SUBJECT, c->subject, err);
    if (rc == OK)
        rc = dict_intern(&decision, s, DICT_DECISION, c->decision, err);
    if (rc != OK)
        return rc;
    struct change_row *row = rows_add(&s->open->changes, sizeof(*row));
    if (!row)
        return store_no_memory(s, "append to the feed", err);
    *row = (struct change_row){
        .seq = s->last_change + 1,
        .recorded = c->recorded,
        .generation = c->generation,
        .subject = subject->id,
        .decision = decision->id,
        .old_value = keep(s, c->old_value, &ok),
        .new_value = keep(s, c->new_value, &ok),
        .hub = keep(s, c->hub, &ok),
        .cause = keep(s, c->cause, &ok),
    };
    if (!ok)
        return store_no_memory(s, "append to the feed", err);
    *seq = ++s->last_change;
    return OK;
}

enum err_code feed_last_seq(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT max(seq) FROM change_row";

    *out = s->last_change;
    return s->mode == STORE_READ ? stmt_int(out, s, SQL, 0, "find the end of the feed", err) : OK;
}

/* ---- causes: "12,15;2026-09-01T00:00:00.000000Z;3", empty parts at the end left out ---- */

void cause_text(struct buf *out, const char *events, int64_t moment, int64_t generation)
{
    char time[TIME_TEXT];

    buf_str(out, events);
    if (moment != TIME_NEVER || generation)
        buf_char(out, ';');
    if (moment != TIME_NEVER)
        buf_str(out, time_text(moment, time));
    if (generation)
        buf_printf(out, ";%lld", (long long)generation);
}

/* {"source":...,"id":...} of an event. */
static enum err_code write_event(struct buf *out, struct store *s, int64_t seq, struct err *err)
{
    static const char SQL[] = "SELECT source, id FROM event_row WHERE seq = ?1";
    const char *source = NULL;
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    rc = stmt_row(&row, s, st, "read the feed", err);
    if (rc != OK || !row)
        return rc == OK ? err_set(err, ERR_STORE,
                                  "%s: the feed names event %lld, which is not in the log; "
                                  "restore a backup",
                                  s->path, (long long)seq)
                        : rc;
    rc = dict_text(&source, s, DICT_SOURCE, sqlite3_column_int64(st, 0), err);
    if (rc == OK) {
        buf_str(out, "{\"source\":");
        json_write_cstr(out, source);
        buf_str(out, ",\"id\":");
        json_write_cstr(out, column_text(st, 1));
        buf_char(out, '}');
    }
    stmt_done(st);
    return rc;
}

/* As an object: {"events":[...],"moment":...,"generation":...}. */
enum err_code cause_expand(struct buf *out, struct store *s, const char *cause, struct err *err)
{
    const char *at = cause;
    bool more = *at && *at != ';';
    char *end;

    buf_reset(out);
    if (*cause == '{') { /* from before causes were numbers */
        buf_str(out, cause);
        return OK;
    }
    buf_str(out, "{\"events\":[");
    for (; more; at = more ? end + 1 : end) {
        enum err_code rc = write_event(out, s, strtoll(at, &end, 10), err);
        if (rc != OK)
            return rc;
        more = *end == ',';
        if (more)
            buf_char(out, ',');
    }
    const char *moment = *at == ';' ? at + 1 : "";
    size_t len = strcspn(moment, ";");
    buf_str(out, "],\"moment\":");
    if (len > 0)
        json_write_string(out, moment, len);
    else
        buf_str(out, "null");
    buf_str(out, ",\"generation\":");
    buf_str(out, moment[len] == ';' ? moment + len + 1 : "null");
    buf_char(out, '}');
    return out->failed ? store_no_memory(s, "read the feed", err) : OK;
}

/* ---- reading ---- */

static enum err_code fill(struct change *out, struct buf *cause, struct store *s, sqlite3_stmt *st,
                          struct err *err)
{
    *out = (struct change){
        .seq = sqlite3_column_int64(st, 0),
        .recorded = sqlite3_column_int64(st, 1),
        .generation = sqlite3_column_int64(st, 2),
        .old_value = column_text(st, 5),
        .new_value = column_text(st, 6),
        .hub = column_text(st, 7),
        .cause = column_text(st, 8),
    };
    if (!out->old_value || !out->new_value)
        return store_no_memory(s, "read the feed", err);
    enum err_code rc = dict_text(&out->subject, s, DICT_SUBJECT, sqlite3_column_int64(st, 3), err);
    if (rc == OK)
        rc = dict_text(&out->decision, s, DICT_DECISION, sqlite3_column_int64(st, 4), err);
    if (rc == OK && out->cause) {
        rc = cause_expand(cause, s, out->cause, err);
        out->cause = buf_cstr(cause);
    }
    return rc;
}

enum err_code feed_each(struct store *s, int64_t after, int64_t limit, change_fn *fn, void *arg,
                        struct err *err)
{
    static const char SQL[] =
        "SELECT seq, recorded, generation, subject, decision, old, new, hub, cause FROM change_row"
        " WHERE seq > ?1 ORDER BY seq LIMIT ?2";
    struct change change;
    struct buf cause = { 0 };
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, after);
    sqlite3_bind_int64(st, 2, limit < 0 ? 0 : limit); /* SQL takes a negative limit for none */
    rc = stmt_row(&row, s, st, "read the feed", err);
    while (rc == OK && row) {
        rc = fill(&change, &cause, s, st, err);
        if (rc == OK)
            rc = fn(&change, arg, err);
        if (rc == OK)
            rc = stmt_row(&row, s, st, "read the feed", err);
    }
    stmt_done(st);
    buf_fini(&cause);
    return rc;
}
