/*
 * writer.c - see internal.h. The writer's thread: batches become durable in the order in which they
 * are handed over, those that wait together in one transaction.
 *
 * The store's thread and this one share the struct under its lock. A batch is changed by nobody
 * while it is here, but for its link, under the lock.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/checkpoint.h"
#include "store/internal.h"

#define WAITING_MAX 2 /* batches on their way: enough to keep both threads busy */

struct writer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t arrived; /* something to write, or the end */
    pthread_cond_t done_some;
    struct batch *first, *last; /* to be written */
    int64_t put, done, durable; /* tickets: handed over; written or failed; written */
    bool has_failed, is_stopping;
    struct err why;      /* when it has failed */
    struct store *store; /* with the connection that writes */
    store_durable_fn *tell;
    void *arg;
    struct checkpoint *checkpoint;
};

/* ---- the writer's own thread ---- */

/* All that waits; NULL: it is the end. */
static const struct batch *take(struct writer *w, int64_t *last, bool *has_failed)
{
    pthread_mutex_lock(&w->lock);
    while (!w->first && !w->is_stopping)
        pthread_cond_wait(&w->arrived, &w->lock);
    const struct batch *first = w->first;
    w->first = w->last = NULL;
    *last = w->put;
    *has_failed = w->has_failed;
    pthread_mutex_unlock(&w->lock);
    return first;
}

static void tell(struct writer *w, int64_t last, enum err_code rc, const struct err *why)
{
    pthread_mutex_lock(&w->lock);
    int64_t ticket = w->done + 1;
    if (rc == OK) {
        w->durable = last;
    } else if (!w->has_failed) {
        w->has_failed = true;
        w->why = *why;
    }
    pthread_mutex_unlock(&w->lock);
    for (; w->tell && ticket <= last; ticket++)
        w->tell(ticket, rc == OK ? NULL : why, w->arg);
}

/* Only when nothing of theirs is in use any more: who waits for it may use the connection, and free
 * what `tell` used. */
static void finish(struct writer *w, int64_t last)
{
    pthread_mutex_lock(&w->lock);
    w->done = last;
    pthread_cond_broadcast(&w->done_some);
    pthread_mutex_unlock(&w->lock);
}

static void *run(void *arg)
{
    struct writer *w = arg;
    const struct batch *batches;
    bool has_failed;
    int64_t last;

    while ((batches = take(w, &last, &has_failed))) {
        struct err why;
        enum err_code rc = OK;
        if (has_failed) { /* nothing may stand behind a gap */
            why = w->why;
            rc = why.code;
        } else {
            rc = batch_write(w->store, batches, &why);
        }
        tell(w, last, rc, &why);
        if (rc == OK)
            checkpoint_after_commit(w->checkpoint);
        finish(w, last);
    }
    return NULL;
}

/* ---- the store's thread ---- */

void writer_put(struct writer *w, struct batch *b)
{
    pthread_mutex_lock(&w->lock);
    while (w->put - w->done >= WAITING_MAX)
        pthread_cond_wait(&w->done_some, &w->lock);
    if (w->last)
        w->last->then = b;
    else
        w->first = b;
    w->last = b;
    w->put = b->ticket;
    pthread_cond_signal(&w->arrived);
    pthread_mutex_unlock(&w->lock);
}

enum err_code writer_drain(struct writer *w, struct err *err)
{
    enum err_code rc = OK;

    pthread_mutex_lock(&w->lock);
    while (w->done < w->put)
        pthread_cond_wait(&w->done_some, &w->lock);
    if (w->has_failed)
        rc = err_set(err, w->why.code, "%s", w->why.msg);
    pthread_mutex_unlock(&w->lock);
    return rc;
}

int64_t writer_durable(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    int64_t durable = w->durable;
    pthread_mutex_unlock(&w->lock);
    return durable;
}

bool writer_has_failed(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    bool has_failed = w->has_failed;
    pthread_mutex_unlock(&w->lock);
    return has_failed;
}

void writer_recover(struct writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->has_failed = false;
    w->durable = w->put; /* what failed is gone, and nobody waits for it */
    pthread_mutex_unlock(&w->lock);
}

struct store *writer_store(struct writer *w)
{
    return w->store;
}

/* ---- life ---- */

/* The connection of `s` becomes the writer's, and `s` gets one that reads. */
static enum err_code split(struct writer *w, struct store *s, struct err *err)
{
    struct store *own = calloc(1, sizeof(*own));
    char *path = own ? strdup(s->path) : NULL;

    if (!path) {
        free(own);
        return store_no_memory(s, "start the writer", err);
    }
    *own = (struct store){ .path = path, .mode = STORE_WRITE, .lock_fd = -1, .db = s->db };
    own->owes_scrub = s->owes_scrub;
    memcpy(own->statements, s->statements, sizeof(own->statements));
    memcpy(own->last_hash, s->last_hash, DIGEST_BYTES);
    memset(s->statements, 0, sizeof(s->statements));
    s->db = NULL;
    w->store = own;
    return store_connect(s, STORE_READ, err);
}

enum err_code writer_start(struct store *s, store_durable_fn *fn, void *arg, struct err *err)
{
    struct writer *w = calloc(1, sizeof(*w));

    if (!w)
        return store_no_memory(s, "start the writer", err);
    w->tell = fn;
    w->arg = arg;
    w->put = w->done = w->durable = s->forgotten = s->tickets;
    enum err_code rc = split(w, s, err);
    if (rc == OK)
        rc = checkpoint_start(&w->checkpoint, w->store, err);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->arrived, NULL);
    pthread_cond_init(&w->done_some, NULL);
    s->writer = w;
    if (rc == OK && pthread_create(&w->thread, NULL, run, w) != 0)
        rc = err_set(err, ERR_IO, "%s: start the writer's thread: no more threads", s->path);
    if (rc != OK) {
        w->is_stopping = true;
        writer_stop(w);
        s->writer = NULL;
    }
    return rc;
}

void writer_stop(struct writer *w)
{
    bool has_thread = !w->is_stopping;

    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    pthread_cond_signal(&w->arrived);
    pthread_mutex_unlock(&w->lock);
    if (has_thread)
        pthread_join(w->thread, NULL);
    checkpoint_stop(w->checkpoint);
    store_close(w->store);
    pthread_cond_destroy(&w->done_some);
    pthread_cond_destroy(&w->arrived);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
