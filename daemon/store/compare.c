/* compare.c - see compare.h. One statement a table stands at the next row to be compared. */
#include "store/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/cell.h"
#include "store/check.h"
#include "store/derived.h"
#include "store/internal.h"

enum table {
    EVENTS,
    VOIDS,
    SUCCESSIONS,
    COMMITS,
    JUDGED,
    CHANGES,
    GENERATIONS,
    FILES,
    TEXTS,
    NAMES, /* and one for each further kind */
    SUBJECTS = NAMES + DICT_KINDS,
    MARK,
    TABLES
};

static const struct {
    const char *name; /* as people know it */
    const char
        *sql; /* its rows, in the order in which they were appended; NULL: compared at once */
} TABLE[TABLES] = {
    [EVENTS] = { "event", "SELECT * FROM event_row ORDER BY seq" },
    [VOIDS] = { "event (voids)", "SELECT * FROM event_void ORDER BY seq" },
    [SUCCESSIONS] = { "event (successions)", "SELECT * FROM event_succession ORDER BY seq" },
    [COMMITS] = { "event_commit", "SELECT * FROM event_commit_row ORDER BY number" },
    [JUDGED] = { "event_commit (judged)", "SELECT * FROM commit_judged ORDER BY number" },
    [CHANGES] = { "change", "SELECT * FROM change_row ORDER BY seq" },
    [GENERATIONS] = { "pack", "SELECT * FROM generation ORDER BY number" },
    [FILES] = { "pack (files)", "SELECT * FROM pack_file ORDER BY generation, path" },
    [TEXTS] = { "pack (texts)", NULL },
    [NAMES + DICT_SOURCE] = { "source names", "SELECT * FROM source_name ORDER BY id" },
    [NAMES + DICT_TYPE] = { "type names", "SELECT * FROM type_name ORDER BY id" },
    [NAMES + DICT_SUBJECT] = { "subject names", "SELECT * FROM subject_name ORDER BY id" },
    [NAMES + DICT_DECISION] = { "decision names", "SELECT * FROM decision_name ORDER BY id" },
    [NAMES + DICT_LAYOUT] = { "decision layouts", "SELECT * FROM decision_layout ORDER BY id" },
    [SUBJECTS] = { "decision, subject, wake",
                   "SELECT id, head, due, name, hub, former, layout, decisions, causes"
                   " FROM subject_row ORDER BY id" },
    [MARK] = { "watermark", NULL },
};

struct checker {
    struct store *source; /* borrowed */
    struct store *own;    /* borrowed: the store that replays */
    compare_fn *fn;
    void *arg;
    sqlite3_stmt *at[TABLES];
    bool is_peeked[TABLES]; /* `at` stands on a row that is still to be compared */
    bool is_done[TABLES];   /* there are no more: SQLite would begin anew */
    bool differs[TABLES];
    int differences;
    int64_t rows;
    uint8_t hash[DIGEST_BYTES]; /* of the last event */
    bool has_met_mark;
    bool is_migrated; /* from a version without layouts: it has made those that it needed in another
                         order */
};

static void tell(struct checker *c, enum table t, const char *what)
{
    if (c->differs[t])
        return;
    c->differs[t] = true;
    c->differences++;
    c->fn(TABLE[t].name, what, c->arg);
}

/* A row's first values, for the message: enough to find it. */
static const char *show_row(sqlite3_stmt *st, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (int i = 0; i < sqlite3_column_count(st) && i < 4 && used + 1 < size; i++) {
        const char *value = sqlite3_column_type(st, i) == SQLITE_BLOB ? "..." : column_text(st, i);
        int n = snprintf(out + used, size - used, "%s%.60s", i ? ", " : "", value ? value : "null");
        used += n > 0 ? (size_t)n : 0;
    }
    return out;
}

/* Step to the next row of a table; what sqlite3_step() says. */
static int next_row(struct checker *c, enum table t)
{
    if (c->is_peeked[t]) {
        c->is_peeked[t] = false;
        return SQLITE_ROW;
    }
    if (!c->at[t]) {
        int code = sqlite3_prepare_v2(c->source->db, TABLE[t].sql, -1, &c->at[t], NULL);
        if (code != SQLITE_OK)
            return code;
    }
    int step = c->is_done[t] ? SQLITE_DONE : sqlite3_step(c->at[t]);
    c->is_done[t] = step == SQLITE_DONE;
    return step;
}

/* Compare the next row of a table with what it should be. */
static enum err_code next_is(struct checker *c, enum table t, const struct cell *cells, int count,
                             struct err *err)
{
    char row[300], what[600];

    if (c->differs[t])
        return OK;
    int step = next_row(c, t);
    if (step == SQLITE_DONE) {
        snprintf(what, sizeof(what), "row (%.200s%lld) is missing",
                 cells[0].type == SQLITE_INTEGER ? "" : (const char *)cells[0].bytes,
                 (long long)cells[0].integer);
        tell(c, t, what);
        return OK;
    }
    if (step != SQLITE_ROW)
        return store_fail(c->source, TABLE[t].name, err);
    for (int i = 0; i < count; i++) {
        if (is_cell(c->at[t], i, &cells[i]))
            continue;
        snprintf(what, sizeof(what), "row (%s): column %s is not what the log makes of it",
                 show_row(c->at[t], row, sizeof(row)), sqlite3_column_name(c->at[t], i));
        tell(c, t, what);
        return OK;
    }
    c->rows++;
    return OK;
}

#define NEXT_IS(c, t, err, ...)                                                                    \
    next_is(c, t, (const struct cell[]){ __VA_ARGS__ },                                            \
            sizeof((const struct cell[]){ __VA_ARGS__ }) / sizeof(struct cell), err)
#define EACH(type, row, rows)                                                                      \
    for (const type *row = (rows).items, *row##_end = row + (rows).count;                          \
         rc == OK && row != row##_end; row++)

/* ---- what a commit appends ---- */

static enum err_code check_log(struct checker *c, const struct batch *b, struct err *err)
{
    enum err_code rc = OK;

    EACH(struct name_row, n, b->names)
    if (n->kind != DICT_LAYOUT || !c->is_migrated)
        rc = NEXT_IS(c, (enum table)(NAMES + n->kind), err, integer(n->id), text(n->text));
    EACH(struct event_row, e, b->events)
    {
        log_hash(c->hash, c->hash, e->recorded, e->actor, e->body, e->body_len);
        rc = NEXT_IS(c, EVENTS, err, integer(e->seq), integer(e->time), integer(e->recorded),
                     integer(e->source), text(e->id), integer(e->type), integer(e->subject),
                     text(e->sequence), text(e->actor), text_of(e->body, e->body_len),
                     blob(c->hash, DIGEST_BYTES), text(e->touches));
    }
    EACH(struct void_row, v, b->voids)
    rc = NEXT_IS(c, VOIDS, err, integer(v->seq), text(v->source), text(v->id));
    EACH(struct succession_row, s, b->successions)
    rc = NEXT_IS(c, SUCCESSIONS, err, integer(s->seq), integer(s->predecessor),
                 integer(s->successor));
    return rc;
}

/* A cause from before it was numbers says the same in another form. */
static enum err_code check_cause(struct checker *c, const struct change_row *change,
                                 struct err *err)
{
    const char *stored = column_text(c->at[CHANGES], 8);
    struct buf old = { 0 };
    char what[200];
    enum err_code rc = OK;
    bool is_same = stored && change->cause && strcmp(stored, change->cause) == 0;

    if (stored && *stored == '{' && change->cause) {
        rc = cause_expand(&old, c->source, change->cause, err);
        is_same = strcmp(stored, buf_cstr(&old)) == 0;
        buf_fini(&old);
    }
    if (rc == OK && !is_same) {
        snprintf(what, sizeof(what), "row (%lld): column cause is not what the log makes of it",
                 (long long)change->seq);
        tell(c, CHANGES, what);
    }
    return rc;
}

static enum err_code check_changes(struct checker *c, const struct batch *b, struct err *err)
{
    enum err_code rc = OK;

    EACH(struct change_row, x, b->changes)
    {
        rc = NEXT_IS(c, CHANGES, err, integer(x->seq), integer(x->recorded), integer(x->generation),
                     integer(x->subject), integer(x->decision), text(x->old_value),
                     text(x->new_value), text(x->hub));
        if (rc == OK && !c->differs[CHANGES])
            rc = check_cause(c, x, err);
    }
    return rc;
}

static enum err_code check_generation(struct checker *c, const struct generation_row *g,
                                      struct err *err)
{
    enum err_code rc =
        NEXT_IS(c, GENERATIONS, err, integer(g->number), text(g->digest), integer(g->since));

    for (int i = 0; rc == OK && i < g->count; i++) {
        const struct digest_part part = { g->files[i].text, g->files[i].len };
        uint8_t digest[DIGEST_BYTES];
        digest_parts(digest, NULL, &part, 1);
        rc = NEXT_IS(c, FILES, err, integer(g->number), text(g->files[i].path),
                     blob(digest, DIGEST_BYTES));
    }
    return rc;
}

static enum err_code check_commit(struct checker *c, const struct commit_row *row, struct err *err)
{
    enum err_code rc =
        NEXT_IS(c, COMMITS, err, integer(row->number), integer(row->first), integer(row->last),
                integer(row->recorded), integer(row->generation));

    if (rc == OK && row->judged)
        rc = NEXT_IS(c, JUDGED, err, integer(row->number), text(row->judged));
    return rc;
}

/* ---- what is derived ---- */

/* Pass over the row of a subject, if it has one. */
static enum err_code skip_subject(struct checker *c, int64_t id, struct err *err)
{
    int step = next_row(c, SUBJECTS);

    if (step != SQLITE_ROW && step != SQLITE_DONE)
        return store_fail(c->source, TABLE[SUBJECTS].name, err);
    c->is_peeked[SUBJECTS] = step == SQLITE_ROW && sqlite3_column_int64(c->at[SUBJECTS], 0) != id;
    return OK;
}

/* The number that a list of names has in the source; -1: none. */
static enum err_code stored_layout(int64_t *id, const struct checker *c, int64_t own,
                                   struct err *err)
{
    struct dict_entry *stored = NULL;

    *id = own;
    if (!own || !c->is_migrated)
        return OK;
    enum err_code rc = dict_find(&stored, c->source, DICT_LAYOUT,
                                 c->own->dicts[DICT_LAYOUT].by_id[own]->text, err);
    *id = stored ? stored->id : -1;
    return rc;
}

/* All subjects as they stand now. Those that have changed since the watermark are passed over:
 * where it is torn their rows may be newer, and are made anew at the next start, whatever they say.
 */
static enum err_code check_subjects(struct checker *c, struct err *err)
{
    bool is_torn = !c->source->watermark.is_whole;
    const struct dict *subjects = &c->own->dicts[DICT_SUBJECT];
    enum err_code rc = OK;

    for (int64_t id = 1; rc == OK && id < subjects->next_id; id++) {
        const struct dict_entry *entry = subjects->by_id[id];
        static const struct subject_row NONE;
        const struct subject_row *row = entry->row ? entry->row : &NONE;
        if (is_torn && entry->row && entry->state == ROW_CHANGED) {
            rc = skip_subject(c, id, err);
            continue;
        }
        int64_t layout;
        rc = stored_layout(&layout, c, row->layout, err);
        if (rc == OK)
            rc = NEXT_IS(c, SUBJECTS, err, integer(id), integer(entry->head),
                         integer_unless(entry->due, TIME_NEVER), text(row->name), text(row->hub),
                         text(row->former), integer_unless(layout, 0), text(row->decisions),
                         text(entry->causes));
    }
    return rc;
}

/* From here on it shows which subjects change. */
static void forget_changes(struct store *own)
{
    for (size_t i = 0; i < own->changed.count; i++)
        own->changed.items[i]->state = ROW_WRITTEN;
    own->changed.count = 0;
}

static bool is_at_mark(const struct checker *c)
{
    return c->own->last_commit == c->source->watermark.commit;
}

static enum err_code check_mark(struct checker *c, struct err *err)
{
    static const char SQL[] = "SELECT count(*) = 1 AND max(is_whole) IN (0, 1) FROM watermark";
    const struct watermark *mark = &c->source->watermark;
    int64_t is_sound;

    c->has_met_mark = true;
    enum err_code rc = stmt_int(&is_sound, c->source, SQL, 0, TABLE[MARK].name, err);
    if (rc == OK &&
        (!is_sound || mark->seq != c->own->last_seq || mark->feed != c->own->last_change))
        tell(c, MARK, "its row is not that of any commit");
    if (rc == OK && mark->is_whole)
        return check_subjects(c, err);
    forget_changes(c->own); /* see store_end_replay() */
    return rc;
}

enum err_code checker_take(struct checker *c, const struct batch *b, struct err *err)
{
    enum err_code rc = check_log(c, b, err);

    if (rc == OK)
        rc = check_changes(c, b, err);
    if (rc == OK && b->generation)
        rc = check_generation(c, b->generation, err);
    if (rc == OK && b->commit.number)
        rc = check_commit(c, &b->commit, err);
    return rc == OK && is_at_mark(c) && !c->has_met_mark ? check_mark(c, err) : rc;
}

/* ---- the end ---- */

/* Nothing may follow what was committed. */
static enum err_code check_rest(struct checker *c, enum table t, struct err *err)
{
    char row[300], what[400];

    if (!TABLE[t].sql || c->differs[t] || (t == SUBJECTS && !c->has_met_mark) ||
        (t == NAMES + DICT_LAYOUT && c->is_migrated))
        return OK;
    int step = next_row(c, t);
    if (step == SQLITE_DONE)
        return OK;
    if (step != SQLITE_ROW)
        return store_fail(c->source, TABLE[t].name, err);
    snprintf(what, sizeof(what), "row (%s) is none that the log makes",
             show_row(c->at[t], row, sizeof(row)));
    tell(c, t, what);
    return OK;
}

/* Each text is the one of its digest, and of use to a generation. */
static enum err_code check_texts(struct checker *c, struct err *err)
{
    static const char SQL[] = "SELECT t.digest, t.text, EXISTS (SELECT 1 FROM pack_file f"
                              " WHERE f.digest = t.digest) FROM pack_text t";
    sqlite3_stmt *st;
    bool row, is_sound = true;

    enum err_code rc = stmt_get(&st, c->source, SQL, err);
    if (rc != OK)
        return rc;
    while ((rc = stmt_row(&row, c->source, st, TABLE[TEXTS].name, err)) == OK && row) {
        const struct digest_part part = { column_text(st, 1), (size_t)sqlite3_column_bytes(st, 1) };
        uint8_t digest[DIGEST_BYTES];
        digest_parts(digest, NULL, &part, 1);
        const struct cell cell = blob(digest, DIGEST_BYTES);
        is_sound = is_sound && is_cell(st, 0, &cell) && sqlite3_column_int(st, 2);
        c->rows++;
    }
    if (rc == OK && !is_sound)
        tell(c, TEXTS, "a row is none of the rules that judged");
    return rc;
}

/* Each layout of a migrated source is one of ours. */
static enum err_code check_layouts(struct checker *c, struct err *err)
{
    static const char SQL[] = "SELECT text FROM decision_layout";
    const struct strmap *own = &c->own->dicts[DICT_LAYOUT].by_text;
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, c->source, SQL, err);
    if (rc != OK)
        return rc;
    while ((rc = stmt_row(&row, c->source, st, TABLE[NAMES + DICT_LAYOUT].name, err)) == OK && row)
        if (!strmap_find(own, column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0)))
            tell(c, NAMES + DICT_LAYOUT, "a row is none that the log makes");
    return rc;
}

enum err_code store_end_replay(int *differences, int64_t *rows, struct store *s, struct err *err)
{
    struct checker *c = s->checker;
    enum err_code rc = OK;

    if (!c->has_met_mark && c->source->watermark.commit == 0)
        rc = check_mark(c, err);
    if (rc == OK && !c->has_met_mark)
        tell(c, MARK, "its row is not that of any commit");
    if (rc == OK && c->has_met_mark && !c->source->watermark.is_whole)
        rc = check_subjects(c, err);
    for (enum table t = 0; rc == OK && t < TABLES; t++)
        rc = check_rest(c, t, err);
    if (rc == OK)
        rc = check_texts(c, err);
    if (rc == OK && c->is_migrated)
        rc = check_layouts(c, err);
    *differences = c->differences;
    *rows = c->rows;
    return rc;
}

void checker_free(struct checker *c)
{
    if (!c)
        return;
    for (int t = 0; t < TABLES; t++)
        sqlite3_finalize(c->at[t]);
    free(c);
}

enum err_code store_open_replay(struct store **out, struct store *source, compare_fn *differs,
                                void *arg, struct err *err)
{
    struct store *s = calloc(1, sizeof(*s));
    struct checker *c = calloc(1, sizeof(*c));

    *out = s;
    if (s)
        s->path = strdup(source->path);
    if (!s || !c || !s->path) {
        free(c);
        return err_set(err, ERR_LIMIT, "no memory to replay");
    }
    *c = (struct checker){ .source = source, .own = s, .fn = differs, .arg = arg };
    s->mode = STORE_REPLAY;
    s->lock_fd = -1;
    s->db = source->db;
    s->checker = c;
    s->last_recorded = INT64_MIN;
    memcpy(s->note_key, source->note_key, sizeof(s->note_key));
    int64_t since;
    enum err_code rc = store_judged_since(&since, source, err);
    c->is_migrated = since > 1;
    return rc;
}

enum err_code store_judged_since(int64_t *out, struct store *s, struct err *err)
{
    static const char SQL[] = "SELECT value FROM meta WHERE key = 'judged_since'";

    enum err_code rc =
        stmt_int(out, s, SQL, 0, "read since when commits say what they judged", err);
    ++*out;
    return rc;
}
