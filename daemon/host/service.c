/* service.c - see service.h. Each request has one heap object, freed when its answer is given. */
#include "host/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "host/access.h"
#include "host/known.h"
#include "host/readers.h"
#include "host/reload.h"
#include "host/worker.h"

#define PARAMS_DEPTH 64
#define TABLES_TRIES 8 /* how often a list waits for the tables before it does without */

struct service {
    struct service_options options;
    struct service_callbacks callbacks;
    void *arg;
    struct worker *worker;
    struct readers *readers;
    struct access access;
    struct reload *reload;
    struct known *known;
    int64_t began;      /* monotonic */
    uint64_t events[4]; /* by enum pw_event_status */
    bool is_ready;
    bool is_stopping;
};

/* Events on their way. */
struct submission {
    struct job job;
    struct service *service;
    struct intake *intake;
    enum pw_status status; /* when it was refused before it was queued */
    pw_submitted_fn *done;
    void *arg;
};

/* A command or an answer of the host's own. */
struct command {
    struct job job;
    struct service *service;
    struct arena arena; /* of its parameters */
    char *name;
    pw_answer_fn *done;
    void *arg;
};

/* A question with a reader. */
struct asked {
    struct job job; /* while it waits for the tables */
    struct service *service;
    char *question, *params;
    int64_t commit;           /* the last one that was acknowledged when it was asked */
    struct known_state state; /* then */
    int tries;
    pw_answer_fn *done;
    void *arg;
};

static enum pw_status status_of(enum err_code code)
{
    switch (code) {
    case OK:
        return PW_OK;
    case ERR_INPUT:
        return PW_INPUT;
    case ERR_ABSENT:
        return PW_ABSENT;
    case ERR_CONFLICT:
        return PW_CONFLICT;
    case ERR_LIMIT:
        return PW_LIMIT;
    case ERR_BUSY:
        return PW_BUSY;
    case ERR_RULE:
    case ERR_STORE:
    case ERR_IO:
        return PW_FAILED;
    }
    return PW_FAILED;
}

/* --- events --- */

static void count(struct service *s, const struct pw_submit_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        s->events[result->results[i].status]++;
}

static void finish_submission(struct job *job)
{
    struct submission *s = job->arg;
    struct pw_submit_result result = { .status = s->status, .error = job->err.msg };

    if (s->intake && job->code == OK) {
        result.results = intake_results(s->intake, &result.count);
        result.status = result.results ? PW_OK : PW_FAILED;
        result.error = result.results ? NULL : "no memory for the results";
    } else if (s->intake) {
        result.status = job->code == ERR_BUSY ? PW_BUSY : PW_FAILED;
    }
    count(s->service, &result);
    s->done(s->arg, &result);
    intake_free(s->intake);
    free(s);
}

enum pw_status service_submit(struct service *s, enum pw_format format, const char *bytes,
                              size_t len, const char *actor, const char *hubs,
                              pw_submitted_fn *done, void *arg)
{
    const struct engine *engine = worker_engine(s->worker);
    if (!engine || s->is_stopping || worker_queued(s->worker) >= s->options.queue_events)
        return PW_BUSY; /* before any parsing: refusing must be cheap */
    struct submission *sub = calloc(1, sizeof(*sub));
    if (!sub)
        return PW_BUSY;
    sub->service = s;
    sub->done = done;
    sub->arg = arg;
    sub->job = (struct job){ .done = finish_submission, .arg = sub };

    const struct intake_schema schema = { worker_catalog(s->worker), engine_note_key(engine) };
    struct job *job = &sub->job;
    job->code = intake_read(&sub->intake, &s->options.limits, &schema, format, bytes, len, actor,
                            hubs, &job->err);
    sub->status = status_of(job->code);
    if (job->code == OK)
        job->items = intake_takes(sub->intake, &job->count);
    if (job->code != OK || job->count == 0) {
        worker_return(s->worker, job);
        return PW_OK;
    }
    job->bytes = len;
    if (worker_put(s->worker, job, NULL) == OK)
        return PW_OK;
    intake_free(sub->intake);
    free(sub);
    return PW_BUSY;
}

/* --- questions --- */

/* A command about tokens: what it changed holds from now on. */
static void take_keys(struct command *c)
{
    struct job *job = &c->job;
    struct buf result = { 0 };

    job->code = access_take(&c->service->access, &result, job->answer, &job->err);
    free(job->answer);
    job->answer = job->code == OK ? buf_take(&result) : NULL;
    buf_fini(&result);
}

static void finish_command(struct job *job)
{
    struct command *c = job->arg;

    if (job->code == OK && job->answer && strncmp(c->name, "token.", 6) == 0)
        take_keys(c);
    const char *text = job->code == OK && job->answer ? job->answer : job->err.msg;

    if (status_of(job->code) == PW_FAILED)
        log_err("host: command failed name=%s error=%s", c->name, job->err.msg);
    c->done(c->arg, status_of(job->code), text, strlen(text));
    arena_fini(&c->arena);
    free(job->answer);
    free(c->name);
    free(c);
}

static struct command *command_new(const char *name, pw_answer_fn *done, void *arg)
{
    struct command *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->done = done;
    c->arg = arg;
    c->name = strdup(name);
    c->job =
        (struct job){ .kind = JOB_COMMAND, .command = c->name, .done = finish_command, .arg = c };
    if (c->name)
        return c;
    free(c);
    return NULL;
}

static enum pw_status run_command(struct service *s, const char *name, const char *params,
                                  pw_answer_fn *done, void *arg)
{
    struct command *c = command_new(name, done, arg);
    if (!c)
        return PW_BUSY;
    struct job *job = &c->job;
    c->service = s;
    job->bytes = strlen(params);
    job->code = json_parse(&job->params, &c->arena, params, job->bytes, PARAMS_DEPTH, &job->err);
    if (job->code != OK) {
        worker_return(s->worker, job);
        return PW_OK;
    }
    if (worker_put(s->worker, job, NULL) == OK)
        return PW_OK;
    arena_fini(&c->arena);
    free(c->name);
    free(c);
    return PW_BUSY;
}

static const char *unready_reason(const struct service *s)
{
    if (s->is_stopping)
        return "the daemon is stopping";
    return s->is_ready ? NULL : "the database is being opened";
}

/* What only the host knows, as members of an object. */
static void describe(struct service *s, struct buf *out)
{
    const char *reason = unready_reason(s);

    buf_printf(out, "\"ready\":%s,\"uptime_seconds\":%lld,\"queue_events\":%zu",
               reason ? "false" : "true", (long long)(clock_monotonic() - s->began) / 1000000,
               worker_queued(s->worker));
    buf_printf(out, ",\"refold_lag\":%llu,\"held_back\":%llu",
               (unsigned long long)worker_figures(s->worker)->engine.refold_lag,
               (unsigned long long)worker_figures(s->worker)->engine.held_back);
    if (worker_engine(s->worker)) {
        buf_str(out, ",\"rule_errors\":");
        engine_write_failures(worker_engine(s->worker), false, out);
    }
    buf_printf(out, ",\"skipped_events\":%llu,",
               (unsigned long long)worker_figures(s->worker)->engine.skipped);
    reload_describe(s->reload, out);
    if (reason) {
        buf_str(out, ",\"reason\":");
        json_write_cstr(out, reason);
    }
    s->callbacks.describe(s->arg, out);
}

static void write_self(struct service *s, struct buf *out)
{
    buf_char(out, '{');
    describe(s, out);
    buf_str(out, ",\"version\":\"" PATHWAY_VERSION "\"}");
}

static void write_metrics(struct service *s, struct buf *out)
{
    struct metrics m = { .queue_events = worker_queued(s->worker),
                         .figures = *worker_figures(s->worker) };

    memcpy(m.events, s->events, sizeof(m.events));
    metrics_write(out, &m);
    if (worker_engine(s->worker))
        engine_write_failures(worker_engine(s->worker), true, out);
    if (s->callbacks.measure)
        s->callbacks.measure(s->arg, out);
}

static void write_consumers(struct service *s, struct buf *out)
{
    buf_printf(out, "{\"seq\":%lld,\"items\":", (long long)service_head(s));
    if (s->callbacks.consumers)
        s->callbacks.consumers(s->arg, out);
    else
        buf_str(out, "[]");
    buf_char(out, '}');
}

static void write_questions(struct service *s, struct buf *out)
{
    buf_str(out, "{\"items\":");
    if (s->readers)
        readers_write(out, s->readers);
    else
        buf_str(out, "[]");
    buf_char(out, '}');
}

/* Answer from here, but not inside the call. */
static enum pw_status answer_self(struct service *s, const char *question, pw_answer_fn *done,
                                  void *arg)
{
    struct command *c = command_new(question, done, arg);
    struct buf text = { 0 };

    if (!c)
        return PW_BUSY;
    if (strcmp(question, "metrics") == 0)
        write_metrics(s, &text);
    else if (strcmp(question, "consumers") == 0)
        write_consumers(s, &text);
    else if (strcmp(question, "questions") == 0)
        write_questions(s, &text);
    else
        write_self(s, &text);
    c->job.answer = buf_take(&text);
    if (!c->job.answer)
        c->job.code = err_set(&c->job.err, ERR_LIMIT, "no memory for the answer");
    worker_return(s->worker, &c->job);
    return PW_OK;
}

/* The reader's {...} with our members behind its own. */
static void answer_status(struct asked *a, const char *text, size_t len)
{
    struct buf merged = { 0 };

    while (len > 0 && text[len - 1] != '}')
        len--;
    buf_add(&merged, text, len > 0 ? len - 1 : 0);
    buf_str(&merged, merged.len > 1 ? "," : "");
    describe(a->service, &merged);
    buf_char(&merged, '}');
    if (merged.failed)
        a->done(a->arg, PW_FAILED, "no memory for the answer", 24);
    else
        a->done(a->arg, PW_OK, buf_cstr(&merged), merged.len);
    buf_fini(&merged);
}

static void asked_free(struct asked *a)
{
    free(a->question);
    free(a->params);
    free(a);
}

static void asked_end(struct asked *a, enum pw_status status, const char *text)
{
    a->done(a->arg, status, text, strlen(text));
    asked_free(a);
}

static void on_answer(void *arg, enum err_code code, const char *text, size_t len,
                      const struct err *err);

static enum pw_status ask_reader(struct asked *a)
{
    /* In the end it is folded from the log, however long that takes. */
    int64_t commit = a->tries < TABLES_TRIES ? a->commit : 0;
    int64_t next_wake = worker_figures(a->service->worker)->progress.next_wake;
    return status_of(readers_ask(a->service->readers, a->question, a->params, commit, next_wake,
                                 on_answer, a, NULL));
}

static void on_tables(struct job *job)
{
    struct asked *a = job->arg;

    if (ask_reader(a) != PW_OK)
        asked_end(a, PW_BUSY, "too many questions wait, or the daemon is stopping; ask again");
}

/* The tables lie behind: have them brought on, and ask again. False: that can not be done now. */
static bool wait_for_tables(struct asked *a)
{
    a->tries++;
    a->job = (struct job){ .kind = JOB_SYNC, .done = on_tables, .arg = a };
    return a->tries <= TABLES_TRIES && worker_put(a->service->worker, &a->job, NULL) == OK;
}

static void on_answer(void *arg, enum err_code code, const char *text, size_t len,
                      const struct err *err)
{
    struct asked *a = arg;
    enum pw_status status = status_of(code);

    if (code == ERR_BUSY && wait_for_tables(a))
        return;
    if (status == PW_FAILED)
        log_err("host: question failed error=%s", err->msg);
    if (status == PW_OK && known_keeps(a->question, a->params))
        known_keep(a->service->known, a->params, &a->state, text, len);
    if (status != PW_OK)
        a->done(a->arg, status, err->msg, strlen(err->msg));
    else if (strcmp(a->question, "status") == 0)
        answer_status(a, text, len);
    else
        a->done(a->arg, PW_OK, text, len);
    asked_free(a);
}

static const char *const COMMANDS[] = { "person.set",   "person.erase", "note.erase",   "token.add",
                                        "token.revoke", "keep",         "aside.discard" };

bool service_is_own(const char *question)
{
    size_t len = strcspn(question, ".");

    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
        if (strncmp(question, COMMANDS[i], len) == 0 && COMMANDS[i][len] == question[len])
            return true;
    return false;
}

static bool is_command(const char *question)
{
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
        if (strcmp(question, COMMANDS[i]) == 0)
            return true;
    return false;
}

static struct known_state state_now(const struct service *s)
{
    const struct figures *f = worker_figures(s->worker);

    return (struct known_state){ .commits = f->progress.commits,
                                 .generation = f->engine.generation,
                                 .now = clock_now(&s->options.clock),
                                 .next_wake = f->progress.next_wake };
}

/* Answer from here what still holds, but not inside the call. False: it has to be asked. */
static bool answer_known(struct service *s, const char *question, const char *params,
                         pw_answer_fn *done, void *arg)
{
    struct known_state state = state_now(s);
    size_t len = 0;
    const char *text =
        known_keeps(question, params) ? known_find(s->known, params, &state, &len) : NULL;
    struct command *c = text ? command_new(question, done, arg) : NULL;

    if (!c)
        return false;
    c->job.answer = strndup(text, len);
    if (!c->job.answer)
        c->job.code = err_set(&c->job.err, ERR_LIMIT, "no memory for the answer");
    worker_return(s->worker, &c->job);
    return true;
}

enum pw_status service_ask(struct service *s, const char *question, const char *params_json,
                           pw_answer_fn *done, void *arg)
{
    bool is_status = strcmp(question, "status") == 0;

    if (!params_json)
        params_json = "{}";
    if (strcmp(question, "ready") == 0 || strcmp(question, "metrics") == 0 ||
        strcmp(question, "consumers") == 0 || strcmp(question, "questions") == 0 ||
        (is_status && !s->is_ready))
        return answer_self(s, question, done, arg);
    if (!s->is_ready || s->is_stopping)
        return PW_BUSY;
    if (is_command(question))
        return run_command(s, question, params_json, done, arg);
    if (reload_knows(question))
        return reload_ask(s->reload, question, params_json, done, arg);
    if (answer_known(s, question, params_json, done, arg))
        return PW_OK;
    struct asked *a = calloc(1, sizeof(*a));
    if (!a)
        return PW_BUSY;
    *a = (struct asked){ .service = s,
                         .question = strdup(question),
                         .params = strdup(params_json),
                         .commit = worker_figures(s->worker)->progress.commits,
                         .state = state_now(s),
                         .done = done,
                         .arg = arg };
    if (a->question && a->params && ask_reader(a) == PW_OK)
        return PW_OK;
    asked_free(a);
    return PW_BUSY;
}

enum pw_status service_identify(struct service *s, const char *token, struct pw_identity *out)
{
    return access_identify(&s->access, token, clock_now(&s->options.clock), out);
}

/* --- sign of life --- */

struct ping {
    struct job job;
    void (*done)(void *arg);
    void *arg;
};

static void finish_ping(struct job *job)
{
    struct ping *p = job->arg;
    p->done(p->arg);
    free(p);
}

bool service_ping(struct service *s, void (*done)(void *arg), void *arg)
{
    struct ping *p = calloc(1, sizeof(*p));
    if (!p)
        return false;
    *p = (struct ping){ .done = done, .arg = arg };
    p->job = (struct job){ .kind = JOB_PING, .done = finish_ping, .arg = p };
    if (worker_put(s->worker, &p->job, NULL) == OK)
        return true;
    free(p);
    return false;
}

/* --- opening and closing --- */

static void on_failed(void *arg, const struct err *err);

/* Nobody is let in before it is known who may come. */
static void on_keys(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct service *s = arg;
    struct err err;

    (void)len;
    if (s->is_stopping)
        return;
    if (status != PW_OK) {
        (void)err_set(&err, ERR_STORE, "the access tokens: %s", text);
        on_failed(s, &err);
        service_stop(s);
        return;
    }
    s->is_ready = true;
    s->callbacks.ready(s->arg);
}

static void on_ready(void *arg)
{
    struct service *s = arg;

    if (run_command(s, "token.keys", "{}", on_keys, s) != PW_OK)
        on_keys(s, PW_BUSY, "the queue is full", 0);
}

static void on_failed(void *arg, const struct err *err)
{
    struct service *s = arg;
    s->callbacks.failed(s->arg, err);
}

static void on_changed(void *arg, int64_t feed_seq)
{
    struct service *s = arg;
    s->callbacks.changed(s->arg, feed_seq);
}

/* The readers first: whoever closes the database last, and may write, puts its WAL away. */
static void on_reload_stopped(void *arg)
{
    struct service *s = arg;
    worker_stop(s->worker);
}

static void on_readers_stopped(void *arg)
{
    struct service *s = arg;
    reload_stop(s->reload, on_reload_stopped, s);
}

static void on_worker_closed(void *arg)
{
    struct service *s = arg;
    s->is_ready = false;
    s->is_stopping = true;
    s->callbacks.closed(s->arg);
}

enum err_code service_open(struct service **out, uv_loop_t *loop,
                           const struct service_options *options,
                           const struct service_callbacks *callbacks, void *arg, struct err *err)
{
    static const struct worker_callbacks WORKER = { on_ready, on_failed, on_changed,
                                                    on_worker_closed };
    const struct reload_options reload = { .database = options->database,
                                           .rules = options->rules,
                                           .clock = options->clock };
    const struct readers_options readers = { .database = options->database,
                                             .clock = options->clock,
                                             .max_waiting = options->questions };
    const struct worker_options worker = {
        .engine = { .database = options->database,
                    .rules = options->rules,
                    .clock = options->clock },
        .max_events = options->queue_events,
        .max_bytes = options->queue_bytes,
    };

    *out = NULL;
    struct service *s = calloc(1, sizeof(*s));
    if (!s)
        return err_set(err, ERR_LIMIT, "no memory for the service");
    s->options = *options;
    s->callbacks = *callbacks;
    s->arg = arg;
    s->began = clock_monotonic();
    s->known = known_new(); /* without it every question is asked */
    enum err_code rc = readers_new(&s->readers, loop, &readers, err);
    if (rc == OK)
        rc = worker_start(&s->worker, loop, &worker, &WORKER, s, err);
    if (rc == OK)
        rc = reload_new(&s->reload, loop, s->worker, &reload, err);
    if (rc == OK) {
        *out = s;
        return OK;
    }
    readers_free(s->readers);
    known_free(s->known);
    free(s);
    return rc;
}

int64_t service_head(const struct service *s)
{
    return worker_figures(s->worker)->progress.feed_seq;
}

int64_t service_now(const struct service *s)
{
    return clock_now(&s->options.clock);
}

bool service_is_ready(const struct service *s)
{
    return s->is_ready && !s->is_stopping;
}

void service_stop(struct service *s)
{
    s->is_stopping = true;
    readers_stop(s->readers, on_readers_stopped, s);
}

void service_free(struct service *s)
{
    if (!s)
        return;
    readers_free(s->readers);
    reload_free(s->reload);
    worker_free(s->worker);
    access_fini(&s->access);
    known_free(s->known);
    free(s);
}

void service_configure(struct service *s, const char *rules, const struct intake_limits *limits)
{
    s->options.limits = *limits;
    if (!reload_set_rules(s->reload, rules))
        log_err("config: no memory for the path of the rules; it stays as it was");
}

void service_reload(struct service *s)
{
    if (!s->is_ready || reload_ask(s->reload, "reload", NULL, NULL, NULL) != PW_OK)
        log_warn("rules: not read again reason=the daemon is starting or stopping, or much waits "
                 "already");
}
