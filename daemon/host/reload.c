/* reload.c - see reload.h. An attempt goes from the loop to a worker thread of libuv's (gather,
 * load, test), to the engine thread (try, change over), back, once more to the engine thread (note
 * how it ended), and is answered. */
#include "host/reload.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "engine/proposal.h"
#include "host/request_rules.h"

#define WAITING_MAX 64

enum stage { STAGE_IDLE, STAGE_LOADING, STAGE_JUDGING };

struct reload {
    struct reload_options options;
    char *rules;                        /* the folder; owned */
    char *folder;                       /* of the attempt under way; owned */
    uv_loop_t *loop;                    /* borrowed */
    struct worker *worker;              /* borrowed */
    struct rules_request *first, *last; /* in line */
    size_t waiting;
    enum stage stage;
    bool is_stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;

    /* The attempt under way. */
    struct rules_request *askers;
    struct proposal proposal;
    uv_work_t work;
    struct job job; /* the rules, then the note */
    struct proposed proposed;
    enum err_code code;
    struct err err;
    int64_t began; /* monotonic */
    struct refusals
        wanting; /* packs that judging has found wanting, in all tries of this attempt */

    /* How it ended. */
    struct buf packs; /* of the note: a JSON object, without its end */
    struct arena note;
    struct buf note_text;
    enum pw_status status;
    struct buf answer;
};

/* Rules that are replaced are freed on a thread that nobody waits for. */
struct burial {
    uv_work_t work;
    struct rulebook *rules;
};

static void bury(uv_work_t *work)
{
    struct burial *b = work->data;
    rulebook_free(b->rules);
    /* Between what was kept of two generations there is much that the allocator would hold. */
    malloc_trim(0);
}

static void buried(uv_work_t *work, int status)
{
    (void)status;
    free(work->data);
}

static void free_rules(struct reload *r, struct rulebook *rules)
{
    struct burial *b = rules ? calloc(1, sizeof(*b)) : NULL;

    if (!b) {
        rulebook_free(rules);
        return;
    }
    b->rules = rules;
    b->work.data = b;
    uv_queue_work(r->loop, &b->work, bury, buried);
}

/* ---- the end of an attempt ---- */

static void answer(struct rules_request *askers, enum pw_status status, const char *text,
                   size_t len)
{
    for (struct rules_request *next; askers; askers = next) {
        next = askers->next;
        if (askers->done)
            askers->done(askers->arg, status, text, len);
        rules_request_free(askers);
    }
}

static void begin_next(struct reload *r);

static void end(struct reload *r)
{
    struct rules_request *askers = r->askers;
    struct buf text = r->answer;

    r->askers = NULL;
    r->answer = (struct buf){ 0 };
    r->stage = STAGE_IDLE;
    buf_fini(&r->packs);
    buf_fini(&r->note_text);
    arena_fini(&r->note);
    proposed_fini(&r->proposed);
    arena_fini(&r->wanting.arena);
    r->wanting = (struct refusals){ 0 };
    free(r->folder);
    r->folder = NULL;
    answer(askers, r->status, buf_cstr(&text), text.len);
    buf_fini(&text);
    begin_next(r);
}

static void on_noted(struct job *job)
{
    struct reload *r = job->arg;

    if (job->code != OK)
        log_err("rules: how the attempt ended is not kept error=%s", job->err.msg);
    free(job->answer);
    end(r);
}

/* What judging spoke against of what lies in the folder, which the next start would try again. */
static void write_wanting(struct buf *out, const struct reload *r)
{
    const char *comma = "";

    for (const struct refusal *x = r->proposed.refusals; x; x = x->next) {
        if (r->proposal.kind != PROPOSE_FOLDER || !refusals_have(r->wanting.first, x->pack))
            continue;
        buf_str(out, comma);
        comma = ",";
        json_write_cstr(out, x->pack);
        buf_char(out, ':');
        json_write_cstr(out, x->why);
    }
}

/* Keep how it ended for each pack that it was about, then answer. */
static void note(struct reload *r)
{
    struct err why = { 0 };

    buf_printf(&r->note_text, "{\"at\":%lld,\"packs\":{%s},\"asked\":\"%s\",\"wanting\":{",
               (long long)clock_now(&r->options.clock), buf_cstr(&r->packs), r->proposed.asked);
    write_wanting(&r->note_text, r);
    buf_str(&r->note_text, "}}");
    r->job = (struct job){ .kind = JOB_COMMAND,
                           .command = "rules.attempt",
                           .bytes = r->note_text.len,
                           .done = on_noted,
                           .arg = r };
    if (!r->note_text.failed && !r->packs.failed &&
        json_parse(&r->job.params, &r->note, buf_cstr(&r->note_text), r->note_text.len, 4, &why) ==
            OK &&
        worker_put(r->worker, &r->job, &why) == OK)
        return;
    log_err("rules: how the attempt ended is not kept error=%s",
            why.msg[0] ? why.msg : "no memory");
    end(r);
}

static void add_pack(struct reload *r, const char *pack, const char *why)
{
    buf_str(&r->packs, r->packs.len > 0 ? "," : "");
    json_write_cstr(&r->packs, pack);
    buf_char(&r->packs, ':');
    json_write_cstr(&r->packs, why);
}

static const struct refusal *refusal_of(const struct reload *r, const char *pack, size_t len)
{
    const struct refusal *refusal = r->proposed.refusals;

    while (refusal && (strlen(refusal->pack) != len || memcmp(refusal->pack, pack, len) != 0))
        refusal = refusal->next;
    return refusal;
}

/* The packs that these rules are made of: what was tried of them went well, unless it is
 * refused. */
static void list_packs(struct reload *r)
{
    struct ruleset_file file;
    char last[200] = "";

    for (int i = 0; rulebook_file_at(&file, r->proposed.rules, i); i++) {
        const char *slash = strrchr(file.path, '/');
        size_t len = slash ? (size_t)(slash - file.path) : 0;
        if (len >= sizeof(last) || (strlen(last) == len && memcmp(last, file.path, len) == 0))
            continue;
        memcpy(last, file.path, len);
        last[len] = '\0';
        bool is_asked = r->proposal.kind == PROPOSE_FOLDER || strcmp(r->proposal.pack, last) == 0;
        if (is_asked && !refusal_of(r, last, len))
            add_pack(r, last, NULL);
    }
}

static void list_refusals(struct reload *r)
{
    for (const struct refusal *x = r->proposed.refusals; x; x = x->next) {
        log_err("rules: not taken pack=%s\n%s", x->pack, x->why);
        add_pack(r, x->pack, x->why);
    }
}

static enum pw_status status_of(enum err_code code)
{
    switch (code) {
    case OK:
        return PW_OK;
    case ERR_RULE:
    case ERR_CONFLICT:
    case ERR_IO:
        return PW_CONFLICT;
    case ERR_INPUT:
        return PW_INPUT;
    case ERR_ABSENT:
        return PW_ABSENT;
    case ERR_LIMIT:
    case ERR_BUSY:
        return PW_BUSY;
    case ERR_STORE:
        return PW_FAILED;
    }
    return PW_FAILED;
}

static void refuse(struct reload *r)
{
    bool is_about_packs =
        r->code == ERR_RULE || r->code == ERR_CONFLICT ||
        (r->proposal.kind == PROPOSE_FOLDER && (r->code == ERR_ABSENT || r->code == ERR_IO));

    log_err("rules: not taken, those in force stay error=%s", r->err.msg);
    r->status = status_of(r->code);
    buf_reset(&r->packs); /* those that were to come into force do not */
    for (const struct refusal *x = r->proposed.refusals; x; x = x->next)
        buf_str(&r->answer, x->why);
    if (!r->proposed.refusals || r->code != ERR_RULE)
        buf_printf(&r->answer, "%s\n", r->err.msg);
    list_refusals(r);
    if (!r->proposed.refusals && is_about_packs)
        add_pack(r, r->proposal.pack ? r->proposal.pack : "national", r->err.msg);
    if (r->packs.len > 0)
        note(r);
    else
        end(r);
}

static void write_refusals(struct buf *text, const char *name, const struct refusal *first)
{
    buf_printf(text, ",\"%s\":[", name);
    for (const struct refusal *x = first; x; x = x->next) {
        buf_str(text, x == first ? "{\"pack\":" : ",{\"pack\":");
        json_write_cstr(text, x->pack);
        buf_str(text, ",\"why\":");
        json_write_cstr(text, x->why);
        buf_char(text, '}');
    }
    buf_char(text, ']');
}

/* `swap` NULL: they are those in force. */
static void take_in(struct reload *r, const struct engine_swap *swap)
{
    int64_t took_ms = (clock_monotonic() - r->began) / 1000;
    struct buf *text = &r->answer;

    if (swap)
        log_info("rules: in force generation=%lld subjects=%lld changes=%lld took_ms=%lld",
                 (long long)swap->generation, (long long)swap->subjects, (long long)swap->changes,
                 (long long)took_ms);
    else
        log_info("rules: nothing has changed took_ms=%lld", (long long)took_ms);
    r->status = PW_OK;
    buf_printf(text, "{\"changed\":%s,\"generation\":%lld,\"tests\":%zu", swap ? "true" : "false",
               (long long)(swap ? swap->generation : worker_figures(r->worker)->engine.generation),
               r->proposed.tests);
    if (swap)
        buf_printf(text, ",\"subjects\":%lld,\"changes\":%lld", (long long)swap->subjects,
                   (long long)swap->changes);
    write_refusals(text, "refused", r->proposed.refusals);
    write_refusals(text, "unclear", swap && swap->unclear ? swap->unclear->first : NULL);
    for (const struct refusal *x = swap && swap->unclear ? swap->unclear->first : NULL; x;
         x = x->next)
        log_info("rules: changes with no direction pack=%s\n%s", x->pack, x->why);
    buf_char(text, '}');
    list_refusals(r);
    note(r);
}

/* ---- its way ---- */

static void begin_loading(struct reload *r);

/* Packs were found wanting: all of it once more without them, which ends, since each time there are
 * more of these. */
static bool try_without(struct reload *r, const struct refusals *wanting)
{
    if (!wanting || r->is_stopping || refusals_join(&r->wanting, wanting->first, &r->err) != OK)
        return false;
    for (const struct refusal *x = wanting->first; x; x = x->next)
        log_warn("rules: found wanting pack=%s\n%s", x->pack, x->why);
    proposed_fini(&r->proposed);
    buf_reset(&r->packs);
    r->proposal.wanting = r->wanting.first;
    begin_loading(r);
    return true;
}

static void on_tried(struct job *job)
{
    struct reload *r = job->arg;
    struct engine_swap swap = job->swap;

    free_rules(r, job->rules);
    free_rules(r, swap.replaced);
    r->code = job->code;
    r->err = job->err;
    bool is_again = r->code == ERR_RULE && try_without(r, swap.wanting);
    refusals_free(swap.wanting);
    if (is_again)
        return;
    if (r->code == OK)
        take_in(r, &swap);
    else
        refuse(r);
    refusals_free(swap.unclear);
}

static void try_rules(struct reload *r)
{
    r->stage = STAGE_JUDGING;
    list_packs(r);
    r->job = (struct job){ .kind = JOB_RULES,
                           .rules = r->proposed.rules,
                           .origins = r->proposed.origins,
                           .catalog = rulebook_catalog(r->proposed.rules),
                           .done = on_tried,
                           .arg = r };
    r->proposed.rules = NULL;
    r->code = worker_put(r->worker, &r->job, &r->err);
    if (r->code == OK)
        return;
    free_rules(r, r->job.rules);
    refuse(r);
}

static void load(uv_work_t *work)
{
    struct reload *r = work->data;
    struct store *s = NULL;

    r->code = r->folder ? store_open(&s, r->options.database, STORE_READ, &r->err)
                        : err_set(&r->err, ERR_LIMIT, "no memory for the path of the rules");
    if (r->code == OK)
        r->code = store_snapshot(s, &r->err);
    if (r->code == OK) {
        r->code = proposal_load(&r->proposed, s, &r->proposal, &r->err);
        store_snapshot_end(s);
    }
    store_close(s);
}

static void tell_stopped(struct reload *r)
{
    void (*stopped)(void *) = r->stopped;

    r->stopped = NULL;
    if (stopped)
        stopped(r->stopped_arg);
}

static void loaded(uv_work_t *work, int status)
{
    struct reload *r = work->data;

    (void)status; /* nobody cancels it */
    if (r->is_stopping)
        r->code = err_set(&r->err, ERR_BUSY, "the daemon is stopping");
    if (r->code != OK) {
        refuse(r);
    } else if (strcmp(rulebook_digest(r->proposed.rules),
                      worker_figures(r->worker)->engine.digest) == 0) {
        list_packs(r);
        take_in(r, NULL);
    } else {
        try_rules(r);
    }
    if (r->is_stopping)
        tell_stopped(r);
}

/* Those in front who want the rules folder as it stands from now on are served together. */
static void take_askers(struct reload *r)
{
    struct rules_request *last = r->first;

    while (last->proposal.kind == PROPOSE_FOLDER && last->next &&
           last->next->proposal.kind == PROPOSE_FOLDER) {
        last = last->next;
        r->waiting--;
    }
    r->askers = r->first;
    r->first = last->next;
    if (!r->first)
        r->last = NULL;
    last->next = NULL;
    r->waiting--;
}

static void begin_loading(struct reload *r)
{
    r->stage = STAGE_LOADING;
    r->err = (struct err){ 0 };
    r->work.data = r;
    uv_queue_work(r->loop, &r->work, load, loaded);
}

static void begin_next(struct reload *r)
{
    if (!r->first || r->stage != STAGE_IDLE || r->is_stopping)
        return;
    take_askers(r);
    r->began = clock_monotonic();
    r->proposal = r->askers->proposal;
    r->folder = strdup(r->rules);
    r->proposal.folder = r->folder;
    begin_loading(r);
}

/* ---- asking ---- */

static void send_back(struct job *job)
{
    struct rules_request *asker = job->arg;
    answer(asker, status_of(job->code), job->err.msg, strlen(job->err.msg));
}

bool reload_knows(const char *question)
{
    return strcmp(question, "reload") == 0 || strcmp(question, "overlay_push") == 0 ||
           strcmp(question, "overlay_rollback") == 0;
}

enum pw_status reload_ask(struct reload *r, const char *question, const char *params_json,
                          pw_answer_fn *done, void *arg)
{
    struct rules_request *asker = NULL;
    struct err why = { 0 };

    if (r->is_stopping || r->waiting >= WAITING_MAX)
        return PW_BUSY;
    enum err_code rc = rules_request_read(&asker, question, params_json, &why);
    if (!asker)
        return PW_BUSY;
    asker->done = done;
    asker->arg = arg;
    if (rc != OK) {
        asker->job = (struct job){ .code = rc, .err = why, .done = send_back, .arg = asker };
        worker_return(r->worker, &asker->job);
        return PW_OK;
    }
    *(r->last ? &r->last->next : &r->first) = asker;
    r->last = asker;
    r->waiting++;
    begin_next(r);
    return PW_OK;
}

void reload_describe(const struct reload *r, struct buf *out)
{
    static const char *const STAGES[] = {
        [STAGE_IDLE] = "idle", [STAGE_LOADING] = "loading and testing", [STAGE_JUDGING] = "judging"
    };

    buf_printf(out, "\"reload\":\"%s\"", STAGES[r->stage]);
}

bool reload_set_rules(struct reload *r, const char *rules)
{
    char *copy = strdup(rules);

    if (!copy)
        return false;
    free(r->rules);
    r->rules = copy;
    return true;
}

/* ---- beginning and end ---- */

enum err_code reload_new(struct reload **out, uv_loop_t *loop, struct worker *worker,
                         const struct reload_options *options, struct err *err)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return err_set(err, ERR_LIMIT, "no memory to change the rules");
    (*out)->options = *options;
    (*out)->loop = loop;
    (*out)->worker = worker;
    if (reload_set_rules(*out, options->rules))
        return OK;
    free(*out);
    *out = NULL;
    return err_set(err, ERR_LIMIT, "no memory to change the rules");
}

void reload_stop(struct reload *r, void (*done)(void *arg), void *arg)
{
    static const char WHY[] = "the daemon is stopping";
    struct rules_request *waiting = r->first;

    r->is_stopping = true;
    r->first = r->last = NULL;
    r->waiting = 0;
    answer(waiting, PW_BUSY, WHY, sizeof(WHY) - 1);
    r->stopped = done;
    r->stopped_arg = arg;
    if (r->stage != STAGE_LOADING)
        tell_stopped(r);
}

void reload_free(struct reload *r)
{
    if (!r)
        return;
    free(r->rules);
    free(r->folder);
    free(r);
}
