/* readers.c - see readers.h. Everything but answer_work() runs on the loop thread. */
#include "host/readers.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/question.h"

#define PARAMS_DEPTH 64

/* These read all there is and take as long as that takes: only one at a time, so that a reader is
 * left for everybody else. */
static const char *const LONG_QUESTIONS[] = { "verify",   "replay", "forecast",
                                              "restated", "whatif", "backup" };

struct question {
    uv_work_t work;
    struct question *next; /* in line */
    struct readers *readers;
    struct reader **slot; /* the reader it has for now; opened by the work itself */
    char *name;
    char *params;
    int64_t commit; /* that tables must stand at */
    int64_t next_wake;
    bool is_long;
    struct buf answer;
    enum err_code code;
    struct err err;
    reader_answer_fn *done;
    void *arg;
};

struct readers {
    struct readers_options options;
    uv_loop_t *loop; /* borrowed */
    struct reader *open[READERS_MAX];
    bool is_busy[READERS_MAX];
    size_t busy;
    bool is_long_busy;      /* a long question is under way */
    struct question *first; /* in line */
    struct question *last;
    size_t waiting;
    bool is_stopping;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

enum err_code readers_new(struct readers **out, uv_loop_t *loop,
                          const struct readers_options *options, struct err *err)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return err_set(err, ERR_LIMIT, "no memory for the readers");
    (*out)->options = *options;
    (*out)->loop = loop;
    return OK;
}

static void question_free(struct question *q)
{
    free(q->name);
    free(q->params);
    buf_fini(&q->answer);
    free(q);
}

/* On a worker thread: alone with its reader. */
static void answer_work(uv_work_t *work)
{
    struct question *q = work->data;
    const struct readers_options *o = &q->readers->options;
    const struct json *params = NULL;
    struct arena arena = { 0 };

    q->code = OK;
    if (!*q->slot)
        q->code = reader_open(q->slot, o->database, NULL, &o->clock, &q->err);
    if (q->code == OK)
        q->code = json_parse(&params, &arena, q->params, strlen(q->params), PARAMS_DEPTH, &q->err);
    if (q->code == OK) {
        reader_want(*q->slot, q->commit);
        reader_tell_wake(*q->slot, q->next_wake);
    }
    if (q->code == OK)
        q->code = question_answer(&q->answer, *q->slot, q->name, params, &q->err);
    if (q->code == OK && q->answer.failed)
        q->code = err_set(&q->err, ERR_LIMIT, "no memory for the answer to '%s'", q->name);
    arena_fini(&arena);
}

static void run_next(struct readers *r);

static void close_all(struct readers *r)
{
    for (size_t i = 0; i < READERS_MAX; i++) {
        reader_close(r->open[i]);
        r->open[i] = NULL;
    }
}

static void tell_stopped(struct readers *r)
{
    if (r->is_stopping && r->busy == 0 && r->stopped) {
        void (*stopped)(void *) = r->stopped;
        r->stopped = NULL;
        close_all(r);
        stopped(r->stopped_arg);
    }
}

static void after_work(uv_work_t *work, int status)
{
    struct question *q = work->data;
    struct readers *r = q->readers;

    if (status != 0) /* cancelled: nobody does that, but the sender must hear something */
        q->code = err_set(&q->err, ERR_BUSY, "the question was not asked: %s", uv_strerror(status));
    for (size_t i = 0; i < READERS_MAX; i++)
        if (q->slot == &r->open[i])
            r->is_busy[i] = false;
    r->busy--;
    if (q->is_long)
        r->is_long_busy = false;
    q->done(q->arg, q->code, buf_cstr(&q->answer), q->answer.len, &q->err);
    question_free(q);
    run_next(r);
    tell_stopped(r);
}

/* The first in line whose turn it is, or NULL; out of the line. */
static struct question *leave_line(struct readers *r)
{
    struct question **at = &r->first, *before = NULL;

    while (*at && (*at)->is_long && r->is_long_busy) {
        before = *at;
        at = &before->next;
    }
    struct question *q = *at;
    if (!q)
        return NULL;
    *at = q->next;
    if (r->last == q)
        r->last = before;
    r->waiting--;
    r->is_long_busy = r->is_long_busy || q->is_long;
    return q;
}

/* Give free readers to those in line. */
static void run_next(struct readers *r)
{
    for (size_t i = 0; i < READERS_MAX && r->first; i++) {
        struct question *q = r->is_busy[i] ? NULL : leave_line(r);
        if (!q)
            continue;
        r->is_busy[i] = true;
        r->busy++;
        q->slot = &r->open[i];
        uv_queue_work(r->loop, &q->work, answer_work,
                      after_work); /* fails only without a work_cb */
    }
}

/* Of another moment than now these are folded from one scan of the log. */
static const char *const LONG_AS_OF[] = { "list", "decisions", "registered" };

static bool is_long(const char *question, const char *params)
{
    bool is_as_of = params && (strstr(params, "\"at\":") || strstr(params, "\"known\":"));

    for (size_t i = 0; is_as_of && i < sizeof(LONG_AS_OF) / sizeof(LONG_AS_OF[0]); i++)
        if (strcmp(question, LONG_AS_OF[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof(LONG_QUESTIONS) / sizeof(LONG_QUESTIONS[0]); i++)
        if (strcmp(question, LONG_QUESTIONS[i]) == 0)
            return true;
    return false;
}

enum err_code readers_ask(struct readers *r, const char *question, const char *params,
                          int64_t commit, int64_t next_wake, reader_answer_fn *done, void *arg,
                          struct err *err)
{
    if (r->is_stopping)
        return err_set(err, ERR_BUSY, "the daemon is stopping");
    if (r->waiting >= r->options.max_waiting)
        return err_set(err, ERR_BUSY, "%zu questions wait already", r->waiting);
    struct question *q = calloc(1, sizeof(*q));
    if (!q)
        return err_set(err, ERR_LIMIT, "no memory for a question");
    q->work.data = q;
    q->readers = r;
    q->done = done;
    q->arg = arg;
    q->name = strdup(question);
    q->params = strdup(params ? params : "{}");
    q->commit = commit;
    q->next_wake = next_wake;
    q->is_long = is_long(question, params);
    if (!q->name || !q->params) {
        question_free(q);
        return err_set(err, ERR_LIMIT, "no memory for a question");
    }
    if (r->last)
        r->last->next = q;
    else
        r->first = q;
    r->last = q;
    r->waiting++;
    run_next(r);
    return OK;
}

void readers_stop(struct readers *r, void (*done)(void *arg), void *arg)
{
    r->is_stopping = true;
    r->stopped = done;
    r->stopped_arg = arg;
    tell_stopped(r);
}

void readers_free(struct readers *r)
{
    if (!r)
        return;
    close_all(r);
    free(r);
}
