/* service_ask.c - questions: who answers them, and how long they wait for the tables. */
#include "host/service_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define TABLES_TRIES 8 /* how often a list waits for the tables before it does without */

/* A question with a reader. */
struct asked {
    struct job job; /* while it waits for the tables */
    struct service *service;
    char *question, *params;
    int64_t commit; /* the last one that was acknowledged when it was asked */
    int tries;
    pw_answer_fn *done;
    void *arg;
};

/* The reader's {...} with our members behind its own. */
static void answer_status(struct asked *a, const char *text, size_t len)
{
    struct buf merged = { 0 };

    while (len > 0 && text[len - 1] != '}')
        len--;
    buf_add(&merged, text, len > 0 ? len - 1 : 0);
    buf_str(&merged, merged.len > 1 ? "," : "");
    service_describe(a->service, &merged);
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
    const struct figures *now = worker_figures(a->service->worker);
    return service_status_of(
        readers_ask(a->service->readers, a->question, a->params, commit, now, on_answer, a, NULL));
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
    enum pw_status status = service_status_of(code);

    if (code == ERR_BUSY && wait_for_tables(a))
        return;
    if (status == PW_FAILED)
        log_err("host: question failed error=%s", err->msg);
    if (status != PW_OK)
        a->done(a->arg, status, err->msg, strlen(err->msg));
    else if (strcmp(a->question, "status") == 0)
        answer_status(a, text, len);
    else
        a->done(a->arg, PW_OK, text, len);
    asked_free(a);
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
        return service_answer_self(s, question, done, arg);
    if (!s->is_ready || s->is_stopping)
        return PW_BUSY;
    if (service_is_command(question))
        return service_command(s, question, params_json, done, arg);
    if (strcmp(question, "reload") == 0)
        return service_reload_ask(s, params_json, done, arg);
    if (reload_knows(question))
        return reload_ask(s->reload, question, params_json, done, arg);
    struct asked *a = calloc(1, sizeof(*a));
    if (!a)
        return PW_BUSY;
    *a = (struct asked){ .service = s,
                         .question = strdup(question),
                         .params = strdup(params_json),
                         .commit = worker_figures(s->worker)->progress.commits,
                         .done = done,
                         .arg = arg };
    if (a->question && a->params && ask_reader(a) == PW_OK)
        return PW_OK;
    asked_free(a);
    return PW_BUSY;
}

uint64_t service_mark(struct service *s)
{
    if (!s->is_ready || s->is_stopping)
        return 0;
    const struct figures *f = worker_figures(s->worker);
    const struct moment_state state = { .commits = f->progress.commits,
                                        .generation = f->engine.generation,
                                        .now = clock_now(&s->options.clock),
                                        .next_wake = f->progress.next_wake };
    return moment_mark(&s->moment, &state);
}
