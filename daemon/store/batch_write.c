/* batch_write.c - see batch.h. One statement a table; rows go in at the end of their tables, but
 * for the few that are looked up by name, and what is derived of subjects. */
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "store/batch.h"
#include "store/internal.h"

#define EACH(type, row, rows)                                                                      \
    for (const type *row = (rows).items, *row##_end = row + (rows).count; row != row##_end; row++)

static void bind_int_or_null(sqlite3_stmt *st, int at, int64_t value)
{
    if (value)
        sqlite3_bind_int64(st, at, value);
    else
        sqlite3_bind_null(st, at);
}

static enum err_code write_names(struct store *to, const struct batch *b, struct err *err)
{
    sqlite3_stmt *st;
    enum err_code rc = OK;

    EACH(struct name_row, name, b->names)
    {
        if ((rc = stmt_get(&st, to, dict_insert_sql((enum dict_kind)name->kind), err)) != OK)
            return rc;
        sqlite3_bind_int64(st, 1, name->id);
        bind_text(st, 2, name->text);
        if ((rc = stmt_run(to, st, "add a name", err)) != OK)
            return rc;
    }
    return rc;
}

static enum err_code write_events(struct store *to, const struct batch *b, struct err *err)
{
    static const char SQL[] =
        "INSERT INTO event_row (seq, time, recorded, source, id, type, subject, sequence, actor,"
        " body, hash, touches) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    sqlite3_stmt *st;

    enum err_code rc = b->events.count ? stmt_get(&st, to, SQL, err) : OK;
    EACH(struct event_row, e, b->events)
    {
        if (rc != OK)
            return rc;
        log_hash(to->last_hash, to->last_hash, e->recorded, e->actor, e->body, e->body_len);
        sqlite3_bind_int64(st, 1, e->seq);
        sqlite3_bind_int64(st, 2, e->time);
        sqlite3_bind_int64(st, 3, e->recorded);
        sqlite3_bind_int64(st, 4, e->source);
        bind_text(st, 5, e->id);
        sqlite3_bind_int64(st, 6, e->type);
        sqlite3_bind_int64(st, 7, e->subject);
        bind_text(st, 8, e->sequence);
        bind_text(st, 9, e->actor);
        sqlite3_bind_text(st, 10, e->body, (int)e->body_len, SQLITE_STATIC);
        sqlite3_bind_blob(st, 11, to->last_hash, DIGEST_BYTES, SQLITE_STATIC);
        bind_text(st, 12, e->touches);
        rc = stmt_run(to, st, "append an event", err);
    }
    return rc;
}

/* Voids, successions and notes: few events have one. */
static enum err_code write_sides(struct store *to, const struct batch *b, struct err *err)
{
    static const char VOID[] = "INSERT INTO event_void (seq, source, id) VALUES (?1, ?2, ?3)";
    static const char SUCCESSION[] =
        "INSERT INTO event_succession (seq, predecessor, successor) VALUES (?1, ?2, ?3)";
    static const char NOTE[] = "INSERT INTO note (seq, path, text) VALUES (?1, ?2, ?3)";
    sqlite3_stmt *st;
    enum err_code rc = OK;

    EACH(struct void_row, v, b->voids)
    {
        if ((rc = stmt_get(&st, to, VOID, err)) != OK)
            return rc;
        sqlite3_bind_int64(st, 1, v->seq);
        bind_text(st, 2, v->source);
        bind_text(st, 3, v->id);
        if ((rc = stmt_run(to, st, "append a void", err)) != OK)
            return rc;
    }
    EACH(struct succession_row, s, b->successions)
    {
        if ((rc = stmt_get(&st, to, SUCCESSION, err)) != OK)
            return rc;
        sqlite3_bind_int64(st, 1, s->seq);
        sqlite3_bind_int64(st, 2, s->predecessor);
        sqlite3_bind_int64(st, 3, s->successor);
        if ((rc = stmt_run(to, st, "append a succession", err)) != OK)
            return rc;
    }
    EACH(struct note_row, n, b->notes)
    {
        if ((rc = stmt_get(&st, to, NOTE, err)) != OK)
            return rc;
        sqlite3_bind_int64(st, 1, n->seq);
        bind_text(st, 2, n->path);
        bind_text(st, 3, n->text);
        if ((rc = stmt_run(to, st, "keep a note", err)) != OK)
            return rc;
    }
    return rc;
}

/* Most causes are one event, whose number takes half the room as a number. */
static void bind_cause(sqlite3_stmt *st, int at, const char *cause)
{
    char *end = NULL;
    int64_t seq = cause ? strtoll(cause, &end, 10) : 0;

    if (cause && end > cause && *end == '\0')
        sqlite3_bind_int64(st, at, seq);
    else
        bind_text(st, at, cause);
}

static enum err_code write_changes(struct store *to, const struct batch *b, struct err *err)
{
    static const char SQL[] =
        "INSERT INTO change_row (seq, recorded, generation, subject, decision, old, new, hub,"
        " cause) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    sqlite3_stmt *st;

    enum err_code rc = b->changes.count ? stmt_get(&st, to, SQL, err) : OK;
    EACH(struct change_row, c, b->changes)
    {
        if (rc != OK)
            return rc;
        sqlite3_bind_int64(st, 1, c->seq);
        sqlite3_bind_int64(st, 2, c->recorded);
        sqlite3_bind_int64(st, 3, c->generation);
        sqlite3_bind_int64(st, 4, c->subject);
        sqlite3_bind_int64(st, 5, c->decision);
        bind_text(st, 6, c->old_value);
        bind_text(st, 7, c->new_value);
        bind_text(st, 8, c->hub);
        bind_cause(st, 9, c->cause);
        rc = stmt_run(to, st, "append to the feed", err);
    }
    return rc;
}

static enum err_code write_subjects(struct store *to, const struct batch *b, struct err *err)
{
    static const char SQL[] =
        "INSERT INTO subject_row (id, head, due, name, hub, former, layout, decisions, causes)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        " ON CONFLICT (id) DO UPDATE SET head = excluded.head, due = excluded.due,"
        " name = iif(?10, excluded.name, name), hub = iif(?10, excluded.hub, hub),"
        " former = iif(?10, excluded.former, former),"
        " layout = iif(?11, excluded.layout, layout),"
        " decisions = iif(?11, excluded.decisions, decisions),"
        " causes = iif(?12, excluded.causes, causes)";
    sqlite3_stmt *st;

    enum err_code rc = b->subjects.count ? stmt_get(&st, to, SQL, err) : OK;
    EACH(struct subject_row, s, b->subjects)
    {
        if (rc != OK)
            return rc;
        sqlite3_bind_int64(st, 1, s->id);
        sqlite3_bind_int64(st, 2, s->head);
        if (s->due == TIME_NEVER)
            sqlite3_bind_null(st, 3);
        else
            sqlite3_bind_int64(st, 3, s->due);
        bind_text(st, 4, s->name);
        bind_text(st, 5, s->hub);
        bind_text(st, 6, s->former);
        bind_int_or_null(st, 7, s->layout);
        bind_text(st, 8, s->decisions);
        bind_text(st, 9, s->causes);
        sqlite3_bind_int(st, 10, s->has_card);
        sqlite3_bind_int(st, 11, s->has_decisions);
        sqlite3_bind_int(st, 12, s->has_causes);
        rc = stmt_run(to, st, "keep a subject", err);
    }
    return rc;
}

static enum err_code write_commit(struct store *to, const struct commit_row *c, struct err *err)
{
    static const char SQL[] =
        "INSERT INTO event_commit_row (number, first, last, recorded, generation)"
        " VALUES (?1, ?2, ?3, ?4, ?5)";
    static const char JUDGED[] = "INSERT INTO commit_judged (number, subjects) VALUES (?1, ?2)";
    sqlite3_stmt *st;

    if (!c->number)
        return OK;
    enum err_code rc = stmt_get(&st, to, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, c->number);
    sqlite3_bind_int64(st, 2, c->first);
    sqlite3_bind_int64(st, 3, c->last);
    sqlite3_bind_int64(st, 4, c->recorded);
    sqlite3_bind_int64(st, 5, c->generation);
    rc = stmt_run(to, st, "list a commit", err);
    if (rc != OK || !c->judged)
        return rc;
    rc = stmt_get(&st, to, JUDGED, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, c->number);
    bind_text(st, 2, c->judged);
    return stmt_run(to, st, "list what a commit judged", err);
}

static enum err_code write_generation(struct store *to, const struct generation_row *g,
                                      struct err *err)
{
    static const char GENERATION[] =
        "INSERT INTO generation (number, digest, since) VALUES (?1, ?2, ?3)";
    static const char TEXT[] =
        "INSERT INTO pack_text (digest, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    static const char FILE[] =
        "INSERT INTO pack_file (generation, path, digest) VALUES (?1, ?2, ?3)";
    sqlite3_stmt *st;

    enum err_code rc = g ? stmt_get(&st, to, GENERATION, err) : OK;
    if (!g || rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, g->number);
    bind_text(st, 2, g->digest);
    sqlite3_bind_int64(st, 3, g->since);
    rc = stmt_run(to, st, "add a generation", err);
    for (int i = 0; rc == OK && i < g->count; i++) {
        const struct generation_file *f = &g->files[i];
        const struct digest_part part = { f->text, f->len };
        uint8_t digest[DIGEST_BYTES];
        digest_parts(digest, NULL, &part, 1);
        if ((rc = stmt_get(&st, to, TEXT, err)) != OK)
            return rc;
        sqlite3_bind_blob(st, 1, digest, DIGEST_BYTES, SQLITE_STATIC);
        sqlite3_bind_text(st, 2, f->text, (int)f->len, SQLITE_STATIC);
        rc = stmt_run(to, st, "keep a rules file", err);
        if (rc != OK || (rc = stmt_get(&st, to, FILE, err)) != OK)
            return rc;
        sqlite3_bind_int64(st, 1, g->number);
        bind_text(st, 2, f->path);
        sqlite3_bind_blob(st, 3, digest, DIGEST_BYTES, SQLITE_STATIC);
        rc = stmt_run(to, st, "keep a rules file", err);
    }
    return rc;
}

/* How far what is kept up behind the log has come. */
static enum err_code write_behind(struct store *to, const struct batch *b, struct err *err)
{
    static const char RUN[] = "INSERT INTO event_key (first, last, keys) VALUES (?1, ?2, ?3)";
    static const char MARK[] =
        "UPDATE watermark SET number = ?1, seq = ?2, feed = ?3, is_whole = ?4";
    sqlite3_stmt *st;
    enum err_code rc = OK;

    EACH(struct run_row, run, b->runs)
    {
        if ((rc = stmt_get(&st, to, RUN, err)) != OK)
            return rc;
        sqlite3_bind_int64(st, 1, run->first);
        sqlite3_bind_int64(st, 2, run->last);
        sqlite3_bind_blob(st, 3, run->keys, (int)(run->count * sizeof(*run->keys)), SQLITE_STATIC);
        if ((rc = stmt_run(to, st, "keep the keys of events", err)) != OK)
            return rc;
    }
    if (!b->has_watermark || (rc = stmt_get(&st, to, MARK, err)) != OK)
        return rc;
    sqlite3_bind_int64(st, 1, b->watermark.commit);
    sqlite3_bind_int64(st, 2, b->watermark.seq);
    sqlite3_bind_int64(st, 3, b->watermark.feed);
    sqlite3_bind_int(st, 4, b->watermark.is_whole);
    return stmt_run(to, st, "move the watermark", err);
}

static enum err_code write_metas(struct store *to, const struct batch *b, struct err *err)
{
    static const char PUT[] = "INSERT INTO meta (key, value) VALUES (?1, ?2)"
                              " ON CONFLICT DO UPDATE SET value = excluded.value";
    static const char DROP[] = "DELETE FROM meta WHERE key = ?1";
    sqlite3_stmt *st;
    enum err_code rc = OK;

    EACH(struct meta_row, m, b->metas)
    {
        if ((rc = stmt_get(&st, to, m->text ? PUT : DROP, err)) != OK)
            return rc;
        bind_text(st, 1, m->key);
        if (m->text)
            bind_text(st, 2, m->text);
        if ((rc = stmt_run(to, st, "keep a note about the database", err)) != OK)
            return rc;
    }
    return rc;
}

static enum err_code write_one(struct store *to, const struct batch *b, struct err *err)
{
    enum err_code rc = write_names(to, b, err);

    if (rc == OK)
        rc = write_events(to, b, err);
    if (rc == OK)
        rc = write_sides(to, b, err);
    if (rc == OK)
        rc = write_generation(to, b->generation, err);
    if (rc == OK)
        rc = write_metas(to, b, err);
    if (rc == OK)
        rc = write_changes(to, b, err);
    if (rc == OK)
        rc = write_commit(to, &b->commit, err);
    if (rc == OK)
        crash_point("slice");
    if (rc == OK)
        rc = write_subjects(to, b, err);
    return rc == OK ? write_behind(to, b, err) : rc;
}

enum err_code batch_write(struct store *to, const struct batch *batches, struct err *err)
{
    uint8_t hash[DIGEST_BYTES];

    memcpy(hash, to->last_hash, DIGEST_BYTES);
    enum err_code rc = sql_begin(to, err);
    if (rc != OK)
        return rc;
    for (const struct batch *b = batches; rc == OK && b; b = b->then)
        rc = write_one(to, b, err);
    crash_point("before commit");
    rc = sql_end(to, rc, err);
    crash_point("after commit");
    if (rc != OK)
        memcpy(to->last_hash, hash, DIGEST_BYTES);
    return rc;
}
