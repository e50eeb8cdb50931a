/* record.c - see record.h. Each public call makes one protected call; the function below it that
 * may raise has the same name with _in_lua. */
#include "lua/record.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lua/record_internal.h"
#include "lua/state.h"
#include "lua/trace_internal.h"

/* ---- a run: the ruleset looks at one record, at one instant ---- */

static void begin(struct record *r, int64_t now, bool is_writing, struct reads *reads)
{
    struct ruleset *rs = r->rs;

    reads_clear(rs, reads);
    if (rs->is_traced != (r->trace != NULL))
        view_trace(rs, r->trace != NULL);
    rs->record = r;
    rs->record_number = r->number;
    rs->run++;
    rs->now = now;
    rs->is_writing = is_writing;
    rs->is_own_only = false;
    rs->is_keeping = false;
    rs->reads = reads;
    rs->running_count = 0;
    rs->spent_count = 0;
    rs->epoch++; /* what another record or instant gave is forgotten */
}

void record_begin(struct record *r, int64_t now, struct reads *reads)
{
    begin(r, now, false, reads);
}

void record_end(struct record *r)
{
    struct ruleset *rs = r->rs;

    rs->record = NULL;
    rs->reads = &rs->unread;
    graves_clear(&rs->cells);
    box_forget_parts(rs);
}

enum err_code record_run(struct record *r, lua_CFunction fn, void *job, struct err *err)
{
    lua_State *L = r->rs->sandbox.L;

    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, job);
    enum err_code rc = sandbox_call(&r->rs->sandbox, 1, 0, err);
    record_end(r);
    return rc;
}

/* ---- life ---- */

/* A record and all that it has from the beginning, in one block. */
static struct record *new_block(const struct ruleset *rs, enum subject_kind kind,
                                const char *subject)
{
    const struct subject_defs *defs = &rs->subjects[kind];
    size_t moves = defs->move_count;
    size_t words = (size_t)defs->fact_count + moves + (RECORD_SETS + moves) * rs->fact_words;
    struct record *r = calloc(1, sizeof(*r) + moves * sizeof(*r->asked) + words * sizeof(uint64_t) +
                                     strlen(subject) + 1);

    if (!r)
        return NULL;
    uint64_t **const sets[RECORD_SETS] = { &r->unjudged,    &r->touched,     &r->applied_reads,
                                           &r->asked_facts, &r->moved_facts, &r->noted,
                                           &r->written };
    r->asked = (struct asked *)(r + 1);
    r->facts = (struct cell *)(r->asked + moves);
    r->moved = (int64_t *)(r->facts + defs->fact_count);
    uint64_t *word = (uint64_t *)(r->moved + moves);
    for (int i = 0; i < RECORD_SETS; i++, word += rs->fact_words)
        *sets[i] = word;
    for (size_t i = 0; i < moves; i++, word += rs->fact_words) {
        r->asked[i].facts = word;
        r->moved[i] = TIME_NEVER;
    }
    r->subject = (char *)word;
    strcpy(r->subject, subject);
    return r;
}

enum err_code record_new(struct record **out, struct ruleset *rs, const char *subject,
                         struct err *err)
{
    enum subject_kind kind;

    *out = NULL;
    if (subject_parse(&kind, subject, strlen(subject), err) != OK)
        return err->code;
    struct record *r = new_block(rs, kind, subject);
    if (!r)
        return err_set(err, ERR_LIMIT, "no memory for the record of %s", subject);
    r->rs = rs;
    r->number = ++rs->records_made;
    r->kind = kind;
    *out = r;
    return OK;
}

void record_free(struct record *r)
{
    if (!r)
        return;
    for (uint16_t i = 0; i < r->rs->subjects[r->kind].fact_count; i++)
        cell_release(&r->rs->cells, r->facts[i]);
    kept_end(r);
    undo_forget(r);
    free(r);
}

void record_touch(struct record *r, uint16_t fact)
{
    r->unjudged[fact / 64] |= 1ull << (fact % 64);
    r->touched[fact / 64] |= 1ull << (fact % 64);
    r->changes++;
    for (uint16_t i = 0; i < r->rs->subjects[r->kind].move_count; i++)
        if (r->asked[i].facts[fact / 64] >> (fact % 64) & 1)
            r->asked[i].is_good = false;
}

void record_note(struct record *r, const uint64_t *read)
{
    for (uint16_t i = 0; (r->trace || r->is_noting) && i < r->rs->fact_words; i++) {
        r->noted[i] |= read[i] | r->touched[i];
        r->written[i] |= r->touched[i];
    }
}

uint64_t record_changes(const struct record *r)
{
    return r->changes;
}

void record_forget_asked(struct record *r)
{
    for (uint16_t i = 0; i < r->rs->subjects[r->kind].move_count; i++)
        r->asked[i].is_good = false;
}

/* ---- taking an event in ---- */

struct apply_job {
    struct record *r;
    const struct fold_event *e;
    const struct reaction *reaction;
    bool is_added_only; /* leave the national pack's reducers out */
};

static int apply_in_lua(lua_State *L)
{
    const struct apply_job *job = lua_touserdata(L, 1);
    const int reducers[] = { job->reaction->own, job->reaction->any, job->reaction->added };
    struct sandbox *sb = &job->r->rs->sandbox;
    const char *where[] = { job->reaction->own_where, job->reaction->any_where,
                            job->reaction->added_where };
    int view = job->r->rs->subjects[job->r->kind].view;

    event_push(L, job->e, job->reaction->data);
    int end = job->e->leaves_added ? 2 : 3;
    for (int i = job->is_added_only ? 2 : 0; i < end; i++) {
        if (reducers[i] == LUA_NOREF)
            continue;
        job->r->rs->is_own_only = i == 2;
        lua_rawgeti(L, LUA_REGISTRYINDEX, reducers[i]);
        lua_rawgeti(L, LUA_REGISTRYINDEX, view);
        lua_pushvalue(L, 2);
        struct sandbox_part outer;
        sandbox_enter(sb, &outer, where[i]);
        lua_call(L, 2, 0);
        sandbox_leave(sb, &outer);
    }
    return 0;
}

/* One event touches many subjects of a kind, which come one after the other. */
static const struct reaction *find_reaction(struct ruleset *rs, enum subject_kind kind,
                                            const char *type)
{
    struct subject_defs *defs = &rs->subjects[kind];

    if (defs->last_reaction && strcmp(defs->last_reaction->type->name, type) == 0)
        return defs->last_reaction;
    const struct strmap_item *item = strmap_find(&defs->reactions, type, strlen(type));
    if (item)
        defs->last_reaction = item->as.ptr;
    return item ? item->as.ptr : NULL;
}

static enum err_code run_reducers(struct apply_job *job, struct err *err)
{
    struct record *r = job->r;

    if (r->trace)
        trace_event_begins(r);
    begin(r, job->e->time, true, &r->rs->unread);
    enum err_code rc = record_run(r, apply_in_lua, job, err);
    event_end(r->rs);
    if (rc == OK && r->trace)
        trace_event(r, job->e);
    return rc;
}

enum err_code record_apply(bool *known, struct record *r, const struct fold_event *e,
                           struct err *err)
{
    struct ruleset *rs = r->rs;
    struct apply_job job = { .r = r, .e = e, .reaction = find_reaction(rs, r->kind, e->type) };
    enum err_code rc = OK;

    *known = job.reaction != NULL;
    if (!job.reaction)
        return OK;
    size_t size = rs->fact_words * sizeof(r->touched[0]);
    memset(r->touched, 0, size);
    if (job.reaction->own != LUA_NOREF || job.reaction->any != LUA_NOREF ||
        job.reaction->added != LUA_NOREF) {
        rc = run_reducers(&job, err);
    } else {
        reads_clear(rs, &rs->unread);
    }
    memcpy(r->applied_reads, rs->unread.facts, size);
    record_note(r, r->applied_reads);
    return rc;
}

enum err_code record_apply_own(struct record *r, const struct fold_event *e, struct err *err)
{
    struct ruleset *rs = r->rs;
    struct apply_job job = {
        .r = r, .e = e, .reaction = find_reaction(rs, r->kind, e->type), .is_added_only = true
    };

    if (!job.reaction || job.reaction->added == LUA_NOREF)
        return OK;
    return run_reducers(&job, err);
}

bool record_failed_in_added(const struct record *r)
{
    return r->rs->is_own_only;
}

/* ---- facts ---- */

/* Nothing in it to be seen? */
static bool is_empty(const struct shape *shape, struct cell cell)
{
    const struct node *n = cell_node(cell);
    bool is_empty = true;

    if (!n || shape->type->kind != TYPE_ROW)
        return n ? n->used == 0 : cell_is_nil(cell);
    for (uint32_t i = 0; i < n->used; i++)
        is_empty = is_empty && cell_is_nil(n->cells[i]);
    return is_empty;
}

enum err_code record_write_facts(struct buf *out, struct record *r, struct err *err)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];
    const char *comma = "";

    buf_char(out, '{');
    for (uint16_t i = 0; i < defs->fact_count; i++) { /* declared in the order of their names */
        const struct fact_def *f = &defs->facts[i];
        struct cell cell = cell_is_nil(r->facts[i]) ? f->initial : r->facts[i];
        if (is_empty(f->shape, cell))
            continue;
        if (!convert_has_order(f->shape, cell))
            return err_set(err, ERR_RULE,
                           "a key is true or false; only numbers and texts have an order");
        buf_str(out, comma);
        json_write_cstr(out, f->name);
        buf_char(out, ':');
        convert_write(out, f->shape, cell);
        comma = ",";
    }
    buf_char(out, '}');
    return OK;
}

enum err_code record_each_move(struct record *r, moved_fact_fn *fn, void *arg, struct err *err)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];
    struct buf value = { 0 };
    bool failed = false;

    for (uint16_t i = 0; i < defs->move_count && !failed; i++) {
        const struct fact_def *f = &defs->facts[defs->moves[i].fact];
        struct cell cell = r->facts[defs->moves[i].fact];
        buf_reset(&value);
        convert_write(&value, f->shape, cell_is_nil(cell) ? f->initial : cell);
        failed = value.failed;
        if (!failed)
            fn(f->name, buf_cstr(&value), arg);
    }
    buf_fini(&value);
    return failed ? err_set(err, ERR_LIMIT, "no memory for the facts of %s", r->subject) : OK;
}

bool record_text_fact(struct buf *out, struct record *r, const char *fact)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];
    const struct strmap_item *item = strmap_find(&defs->names, fact, strlen(fact));

    if (!item || item->as.num >> 16 != SLOT_FACT)
        return false;
    uint16_t i = (uint16_t)(item->as.num & 0xffff);
    struct cell cell = cell_is_nil(r->facts[i]) ? defs->facts[i].initial : r->facts[i];
    const struct text *text = cell_text(cell);
    if (text)
        buf_add(out, text->bytes, text->len);
    return text != NULL;
}

bool record_keep_text(const char **out, struct arena *arena, struct record *r, const char *fact)
{
    struct buf text = { 0 };
    bool has_text = record_text_fact(&text, r, fact);

    *out = has_text && !text.failed ? arena_strdup(arena, buf_cstr(&text)) : NULL;
    buf_fini(&text);
    return *out || !has_text;
}
