/* queue.c - see queue.h. */
#include "host/queue.h"

#define SMALL_EVENTS 16

/* What a job weighs: a command or an empty batch still takes a place. */
static size_t weight(const struct job *job)
{
    return job->count > 0 ? job->count : 1;
}

enum err_code queue_init(struct queue *q, size_t max_events, size_t max_bytes, struct err *err)
{
    *q = (struct queue){ .max_events = max_events, .max_bytes = max_bytes };
    int rc = uv_mutex_init(&q->lock);
    if (rc != 0)
        return err_set(err, ERR_IO, "make a mutex: %s", uv_strerror(rc));
    rc = uv_cond_init(&q->arrived);
    if (rc == 0)
        return OK;
    uv_mutex_destroy(&q->lock);
    return err_set(err, ERR_IO, "make a condition variable: %s", uv_strerror(rc));
}

void queue_fini(struct queue *q)
{
    uv_cond_destroy(&q->arrived);
    uv_mutex_destroy(&q->lock);
}

static bool is_empty(const struct queue *q)
{
    return !q->lanes[QUEUE_SMALL].first && !q->lanes[QUEUE_LARGE].first;
}

static enum err_code admit(const struct queue *q, size_t events, size_t bytes, struct err *err)
{
    if (q->is_closed)
        return err_set(err, ERR_BUSY, "the daemon is stopping");
    if (!is_empty(q) && (q->events + events > q->max_events || q->bytes + bytes > q->max_bytes))
        return err_set(err, ERR_BUSY, "the queue is full: %zu events of at most %zu wait",
                       q->events, q->max_events);
    return OK;
}

static void append(struct lane *lane, struct job *job)
{
    job->next = NULL;
    if (lane->last)
        lane->last->next = job;
    else
        lane->first = job;
    lane->last = job;
}

enum err_code queue_put(struct queue *q, struct job *jobs, struct err *err)
{
    size_t events = 0, bytes = 0;

    for (const struct job *job = jobs; job; job = job->next) {
        events += weight(job);
        bytes += job->bytes;
    }
    uv_mutex_lock(&q->lock);
    enum err_code rc = admit(q, events, bytes, err);
    if (rc == OK) {
        for (struct job *job = jobs, *next; job; job = next) {
            next = job->next;
            append(&q->lanes[events <= SMALL_EVENTS ? QUEUE_SMALL : QUEUE_LARGE], job);
        }
        q->events += events;
        q->bytes += bytes;
        uv_cond_signal(&q->arrived);
    }
    uv_mutex_unlock(&q->lock);
    return rc;
}

/* A wake-up for no reason is harmless: the caller looks again. */
void queue_await(struct queue *q, int64_t wait_us)
{
    uv_mutex_lock(&q->lock);
    if (wait_us == QUEUE_FOREVER) {
        while (is_empty(q) && !q->is_closed)
            uv_cond_wait(&q->arrived, &q->lock);
    } else if (wait_us > 0 && is_empty(q) && !q->is_closed) {
        (void)uv_cond_timedwait(&q->arrived, &q->lock, (uint64_t)wait_us * 1000);
    }
    uv_mutex_unlock(&q->lock);
}

struct job *queue_take(struct queue *q, enum queue_lane which, size_t max_events)
{
    struct lane *lane = &q->lanes[which], taken = { 0 };
    size_t events = 0;

    uv_mutex_lock(&q->lock);
    for (struct job *job; (job = lane->first);) {
        if (taken.first && events + weight(job) > max_events)
            break;
        lane->first = job->next;
        if (!lane->first)
            lane->last = NULL;
        events += weight(job);
        q->events -= weight(job);
        q->bytes -= job->bytes;
        append(&taken, job);
    }
    uv_mutex_unlock(&q->lock);
    return taken.first;
}

void queue_close(struct queue *q)
{
    uv_mutex_lock(&q->lock);
    q->is_closed = true;
    uv_cond_broadcast(&q->arrived);
    uv_mutex_unlock(&q->lock);
}

bool queue_is_finished(struct queue *q)
{
    uv_mutex_lock(&q->lock);
    bool finished = q->is_closed && is_empty(q);
    uv_mutex_unlock(&q->lock);
    return finished;
}

size_t queue_events(struct queue *q)
{
    uv_mutex_lock(&q->lock);
    size_t events = q->events;
    uv_mutex_unlock(&q->lock);
    return events;
}
