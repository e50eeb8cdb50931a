/* checkpoint.c - see checkpoint.h. */
#include "store/checkpoint.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "store/internal.h"

#ifndef START_PAGES
#define START_PAGES 4000 /* in the WAL: 16 MB */
#endif
#ifndef FINISH_PAGES
#define FINISH_PAGES 150 /* so many the writer moves by itself: a few milliseconds */
#endif

struct checkpoint {
    struct store *writing; /* the writer's; borrowed */
    struct store *own;     /* this thread's connection */
    int pages;             /* in the WAL after the last commit; the writer's thread */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    bool is_wanted, is_running, is_stopping; /* under the lock */
    int moved;                               /* pages of the WAL, by the last run; under the lock */
    bool has_thread;
};

static int note_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
    struct checkpoint *c = arg;
    (void)db;
    (void)name;
    c->pages = pages;
    return SQLITE_OK;
}

/* Move as much as can be moved without waiting for anybody. */
static int move(struct store *s)
{
    int in_wal = 0, moved = 0;

    crash_point("checkpoint");
    int code = sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_PASSIVE, &in_wal, &moved);
    crash_point("checkpoint");
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        log_warn("store: checkpoint failed, the WAL grows error=\"%s\"", sqlite3_errmsg(s->db));
    return code == SQLITE_OK ? moved : 0;
}

static void *run(void *arg)
{
    struct checkpoint *c = arg;

    pthread_mutex_lock(&c->lock);
    while (!c->is_stopping) {
        if (!c->is_wanted) {
            pthread_cond_wait(&c->wanted, &c->lock);
            continue;
        }
        c->is_wanted = false;
        c->is_running = true;
        pthread_mutex_unlock(&c->lock);
        int moved = move(c->own);
        pthread_mutex_lock(&c->lock);
        c->moved = moved;
        c->is_running = false;
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

void checkpoint_after_commit(struct checkpoint *c)
{
    bool finish = false;

    pthread_mutex_lock(&c->lock);
    if (c->pages < c->moved)
        c->moved = 0; /* the WAL has begun anew */
    if (!c->is_running && !c->is_wanted && c->pages >= START_PAGES) {
        finish = c->pages - c->moved <= FINISH_PAGES;
        if (!finish) {
            c->is_wanted = true;
            pthread_cond_signal(&c->wanted);
        }
    }
    pthread_mutex_unlock(&c->lock);
    if (!finish)
        return;
    int moved = move(c->writing);
    pthread_mutex_lock(&c->lock);
    c->moved = moved;
    pthread_mutex_unlock(&c->lock);
}

enum err_code checkpoint_start(struct checkpoint **out, struct store *writing, struct err *err)
{
    struct checkpoint *c = calloc(1, sizeof(*c));

    *out = c;
    if (!c)
        return store_no_memory(writing, "start the checkpoints", err);
    c->writing = writing;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wanted, NULL);
    enum err_code rc = store_open_beside(&c->own, writing, err);
    if (rc != OK)
        return rc;
    sqlite3_wal_autocheckpoint(writing->db, 0);
    sqlite3_wal_hook(writing->db, note_pages, c);
    if (pthread_create(&c->thread, NULL, run, c) != 0)
        return err_set(err, ERR_IO, "%s: start the checkpoints' thread: no more threads",
                       writing->path);
    c->has_thread = true;
    return OK;
}

void checkpoint_stop(struct checkpoint *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->is_stopping = true;
    pthread_cond_signal(&c->wanted);
    pthread_mutex_unlock(&c->lock);
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    if (c->writing->db)
        sqlite3_wal_hook(c->writing->db, NULL, NULL);
    store_close(c->own);
    pthread_cond_destroy(&c->wanted);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
