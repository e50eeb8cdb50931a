/* keeper.c - see keeper.h. */
#include "host/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define GATHER_MS 100
#define RETRY_MS  50
#define WAIT_MAX  ((size_t)64 << 20) /* bytes of ops */
#define STOP_TRIES                                                                                 \
    100 /* the daemon is stopping and says that it is busy: it will not become idle */

struct waiter {
    struct waiter *next;
    pw_answer_fn *done;
    void *arg;
};

/* Ops that go together, and those who wait for them. */
struct load {
    struct buf ops;
    struct waiter *first, *last;
};

struct keeper {
    struct service *service; /* borrowed */
    uv_timer_t timer;
    struct load waiting, going;
    bool is_going;
    int tries;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

enum err_code keeper_new(struct keeper **out, uv_loop_t *loop, struct service *s, struct err *err)
{
    struct keeper *k = *out = calloc(1, sizeof(*k));

    if (!k)
        return err_set(err, ERR_LIMIT, "no memory for the plugins");
    k->service = s;
    uv_timer_init(loop, &k->timer);
    k->timer.data = k;
    return OK;
}

static void finish(struct load *load, enum pw_status status, const char *text, size_t len)
{
    struct waiter *w = load->first;

    load->first = load->last = NULL;
    buf_reset(&load->ops);
    for (struct waiter *next; w; w = next) {
        next = w->next;
        w->done(w->arg, status, text, len);
        free(w);
    }
}

static void send_off(struct keeper *k);

static void on_closed(uv_handle_t *handle)
{
    struct keeper *k = handle->data;
    k->stopped(k->stopped_arg);
}

static void close_when_empty(struct keeper *k)
{
    if (k->stopped && !k->is_going && k->going.ops.len == 0 && k->waiting.ops.len == 0 &&
        !uv_is_closing((uv_handle_t *)&k->timer))
        uv_close((uv_handle_t *)&k->timer, on_closed);
}

static void on_due(uv_timer_t *timer)
{
    struct keeper *k = timer->data;

    send_off(k);
    close_when_empty(k);
}

static void on_kept(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct keeper *k = arg;

    k->is_going = false;
    if (status != PW_OK)
        log_err("host: not kept error=%.*s", (int)len, text);
    finish(&k->going, status, text, len);
    if (k->waiting.ops.len > 0)
        send_off(k);
    close_when_empty(k);
}

static enum pw_status ask_to_keep(struct keeper *k)
{
    struct buf params = { 0 };

    buf_str(&params, "{\"ops\":[");
    buf_add(&params, k->going.ops.data, k->going.ops.len);
    buf_str(&params, "]}");
    enum pw_status status =
        params.failed ? PW_BUSY : service_ask(k->service, "keep", buf_cstr(&params), on_kept, k);
    buf_fini(&params);
    return status;
}

/* What waits goes off, unless something is on its way; a daemon that is starting, or busy, is asked
 * again. */
static void send_off(struct keeper *k)
{
    static const char LATE[] = "the daemon is stopping";

    if (k->is_going)
        return;
    if (k->going.ops.len == 0) {
        struct load empty = k->going;
        k->going = k->waiting;
        k->waiting = empty;
    }
    if (k->going.ops.len == 0)
        return;
    k->is_going = ask_to_keep(k) == PW_OK;
    if (k->is_going) {
        k->tries = 0;
        return;
    }
    if (!k->stopped || ++k->tries < STOP_TRIES) {
        uv_timer_start(&k->timer, on_due, RETRY_MS, 0);
        return;
    }
    log_warn("host: not kept error=%s", LATE);
    finish(&k->going, PW_BUSY, LATE, sizeof(LATE) - 1);
    finish(&k->waiting, PW_BUSY, LATE, sizeof(LATE) - 1);
}

static enum err_code no_room(struct buf *op, struct err *err)
{
    buf_fini(op);
    return err_set(err, ERR_LIMIT, "too much waits to be written, or no memory");
}

enum err_code keeper_add(struct keeper *k, struct buf *op, bool hurried, pw_answer_fn *done,
                         void *arg, struct err *err)
{
    struct load *l = &k->waiting;
    struct waiter *w = done ? calloc(1, sizeof(*w)) : NULL;

    if (op->failed || (done && !w) || l->ops.len + op->len > WAIT_MAX ||
        !buf_grow(&l->ops, op->len + 1)) {
        free(w);
        return no_room(op, err);
    }
    if (l->ops.len > 0)
        buf_char(&l->ops, ',');
    buf_add(&l->ops, op->data, op->len);
    buf_fini(op);
    if (w) {
        *w = (struct waiter){ .done = done, .arg = arg };
        *(l->last ? &l->last->next : &l->first) = w;
        l->last = w;
    }
    if (hurried || !uv_is_active((uv_handle_t *)&k->timer))
        uv_timer_start(&k->timer, on_due, hurried ? 0 : GATHER_MS, 0);
    return OK;
}

void keeper_stop(struct keeper *k, void (*done)(void *arg), void *arg)
{
    k->stopped = done;
    k->stopped_arg = arg;
    send_off(k);
    close_when_empty(k);
}

void keeper_free(struct keeper *k)
{
    if (!k)
        return;
    buf_fini(&k->waiting.ops);
    buf_fini(&k->going.ops);
    free(k);
}
