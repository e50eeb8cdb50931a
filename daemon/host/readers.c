/* readers.c - see readers.h. Everything but answer_work() runs on the loop thread. */
#include "host/readers.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/question.h"

#define PARAMS_DEPTH    64
#define TAG_MAX         64
#define FORGET          "forget" /* no question of question.h */
#define FORGET_AFTER_MS (10 * 60 * 1000)

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
    char slow[sizeof(((struct engine_counters *)0)->slow)];
    bool is_long;
    char tag[TAG_MAX]; /* "": none. This and what follows under the readers' lock */
    int64_t work_done, work_of;
    struct buf answer;
    enum err_code code;
    struct err err;
    reader_answer_fn *done;
    void *arg;
};

struct readers {
    struct readers_options options;
    uv_loop_t *loop; /* borrowed */
    uv_mutex_t lock; /* of how far questions have come, which workers say */
    struct question *answered[READERS_MAX];
    struct reader *open[READERS_MAX];
    bool is_busy[READERS_MAX];
    size_t busy;
    bool is_long_busy; /* a long question is under way */
    uv_timer_t forget; /* what long questions keep for the next one goes when none comes */
    bool has_timer;
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
    if (uv_mutex_init(&(*out)->lock) == 0)
        return OK;
    free(*out);
    *out = NULL;
    return err_set(err, ERR_LIMIT, "no memory for the readers");
}

static void question_free(struct question *q)
{
    free(q->name);
    free(q->params);
    buf_fini(&q->answer);
    free(q);
}

/* Texts are copied. NULL: no memory. */
static struct question *question_new(struct readers *r, const char *name, const char *params,
                                     reader_answer_fn *done, void *arg)
{
    struct question *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    q->work.data = q;
    q->readers = r;
    q->done = done;
    q->arg = arg;
    q->name = strdup(name);
    q->params = strdup(params ? params : "{}");
    if (q->name && q->params)
        return q;
    question_free(q);
    return NULL;
}

/* ---- how far they have come ---- */

static void take_progress(int64_t done, int64_t of, void *arg)
{
    struct question *q = arg;

    uv_mutex_lock(&q->readers->lock);
    q->work_done = done;
    q->work_of = of;
    uv_mutex_unlock(&q->readers->lock);
}

static void take_tag(struct question *q, const struct json *params)
{
    const struct json *tag = json_get(params, "tag");

    uv_mutex_lock(&q->readers->lock);
    if (tag && tag->type == JSON_STRING && tag->len < sizeof(q->tag))
        memcpy(q->tag, tag->as.string, tag->len + 1);
    uv_mutex_unlock(&q->readers->lock);
}

static void write_question(struct buf *out, const struct question *q, const char *state)
{
    buf_str(out, out->data[out->len - 1] == '[' ? "{\"question\":" : ",{\"question\":");
    json_write_cstr(out, q->name);
    buf_str(out, ",\"tag\":");
    json_write_cstr(out, q->tag[0] ? q->tag : NULL);
    buf_printf(out, ",\"state\":\"%s\",\"done\":%lld,\"of\":%lld}", state, (long long)q->work_done,
               (long long)q->work_of);
}

void readers_write(struct buf *out, struct readers *r)
{
    buf_char(out, '[');
    uv_mutex_lock(&r->lock);
    for (size_t i = 0; i < READERS_MAX && !out->failed; i++)
        if (r->answered[i])
            write_question(out, r->answered[i], "answering");
    for (const struct question *q = r->first; q && !out->failed; q = q->next)
        write_question(out, q, "waiting");
    uv_mutex_unlock(&r->lock);
    buf_char(out, ']');
}

/* On a worker thread: alone with its reader. */
static void answer_work(uv_work_t *work)
{
    struct question *q = work->data;
    const struct readers_options *o = &q->readers->options;
    const struct json *params = NULL;
    struct arena arena = { 0 };

    q->code = OK;
    if (strcmp(q->name, FORGET) == 0) {
        reader_forget(*q->slot);
        return;
    }
    if (!*q->slot)
        q->code = reader_open(q->slot, o->database, NULL, &o->clock, &q->err);
    if (q->code == OK)
        q->code = json_parse(&params, &arena, q->params, strlen(q->params), PARAMS_DEPTH, &q->err);
    if (q->code == OK) {
        take_tag(q, params);
        reader_want(*q->slot, q->commit);
        reader_tell_wake(*q->slot, q->next_wake);
        reader_tell_slow(*q->slot, q->slow);
        reader_on_progress(*q->slot, take_progress, q);
        q->code = question_answer(&q->answer, *q->slot, q->name, params, &q->err);
        reader_on_progress(*q->slot, NULL, NULL);
        reader_tell_slow(*q->slot, NULL);
    }
    if (q->code == OK && q->answer.failed)
        q->code = err_set(&q->err, ERR_LIMIT, "no memory for the answer to '%s'", q->name);
    arena_fini(&arena);
}

static void start(struct readers *r, struct question *q, size_t i);
static void run_next(struct readers *r);
static void tell_stopped(struct readers *r);

/* ---- what is kept from one long question to the next ---- */

static void tell_nobody(void *arg, enum err_code code, const char *text, size_t len,
                        const struct err *err)
{
    (void)arg;
    (void)code;
    (void)text;
    (void)len;
    (void)err;
}

/* On worker threads, as questions: it takes a while to free so much. */
static void on_forget(uv_timer_t *timer)
{
    struct readers *r = timer->data;

    for (size_t i = 0; i < READERS_MAX; i++) {
        struct question *q =
            r->open[i] && !r->is_busy[i] ? question_new(r, FORGET, NULL, tell_nobody, NULL) : NULL;
        if (q)
            start(r, q, i);
    }
}

static void forget_later(struct readers *r)
{
    if (!r->has_timer) {
        uv_timer_init(r->loop, &r->forget);
        uv_unref((uv_handle_t *)&r->forget); /* nobody waits for it */
        r->forget.data = r;
        r->has_timer = true;
    }
    uv_timer_start(&r->forget, on_forget, FORGET_AFTER_MS, 0);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct readers *r = handle->data;

    r->has_timer = false;
    tell_stopped(r);
}

/* ---- the end ---- */

static void close_all(struct readers *r)
{
    for (size_t i = 0; i < READERS_MAX; i++) {
        reader_close(r->open[i]);
        r->open[i] = NULL;
    }
}

static void tell_stopped(struct readers *r)
{
    if (!r->is_stopping || r->busy > 0 || !r->stopped)
        return;
    if (r->has_timer && !uv_is_closing((uv_handle_t *)&r->forget)) {
        uv_ref((uv_handle_t *)&r->forget);
        uv_close((uv_handle_t *)&r->forget, on_timer_closed);
    } else if (!r->has_timer) {
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
        if (q->slot == &r->open[i]) {
            r->is_busy[i] = false;
            r->answered[i] = NULL;
        }
    r->busy--;
    if (q->is_long)
        r->is_long_busy = false;
    if (q->is_long && !r->is_stopping)
        forget_later(r);
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

/* Long questions go to the last reader where they can, which may have kept something for them;
 * others to the first. */
static size_t free_reader(const struct readers *r, bool is_long)
{
    size_t first = is_long ? READERS_MAX - 1 : 0;

    for (size_t n = 0; n < READERS_MAX; n++)
        if (!r->is_busy[is_long ? first - n : first + n])
            return is_long ? first - n : first + n;
    return READERS_MAX;
}

static void start(struct readers *r, struct question *q, size_t i)
{
    r->is_busy[i] = true;
    r->answered[i] = q;
    r->busy++;
    q->slot = &r->open[i];
    uv_queue_work(r->loop, &q->work, answer_work, after_work); /* fails only without a work_cb */
}

/* Give free readers to those in line. */
static void run_next(struct readers *r)
{
    struct question *q;

    while (r->busy < READERS_MAX && (q = leave_line(r)))
        start(r, q, free_reader(r, q->is_long));
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
                          int64_t commit, const struct figures *now, reader_answer_fn *done,
                          void *arg, struct err *err)
{
    if (r->is_stopping)
        return err_set(err, ERR_BUSY, "the daemon is stopping");
    if (r->waiting >= r->options.max_waiting)
        return err_set(err, ERR_BUSY, "%zu questions wait already", r->waiting);
    struct question *q = question_new(r, question, params, done, arg);
    if (!q)
        return err_set(err, ERR_LIMIT, "no memory for a question");
    q->commit = commit;
    q->next_wake = now->progress.next_wake;
    memcpy(q->slow, now->engine.slow, sizeof(q->slow));
    q->is_long = is_long(question, params);
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
    uv_mutex_destroy(&r->lock);
    free(r);
}
