/* crowd.c - see crowd.h. */
#include "engine/crowd.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "model/subject.h"

#define CHUNK      16  /* subjects given out at a time */
#define HUBS_TOLD  40  /* in a refusal: all there are */
#define WORTH_MORE 256 /* subjects: below, a second Lua state costs more than it brings */

struct crowd {
    const struct crowd_options *options;
    atomic_size_t next, done;
    atomic_bool is_over;
    pthread_mutex_t lock; /* of what follows */
    size_t failed;        /* number of the first subject that failed */
    struct err err;
};

struct member {
    struct crowd *crowd;
    int index;
};

int crowd_size(size_t subjects)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (subjects < WORTH_MORE || cores < 2)
        return 1;
    return cores < CROWD_MAX ? (int)cores : CROWD_MAX;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void fail(struct crowd *c, size_t index, const struct err *why)
{
    pthread_mutex_lock(&c->lock);
    if (c->err.code == OK || index < c->failed) {
        c->failed = index;
        c->err = *why;
    }
    pthread_mutex_unlock(&c->lock);
    atomic_store(&c->is_over, true);
}

static void work_chunk(const struct member *m, size_t first)
{
    struct crowd *c = m->crowd;
    const struct crowd_options *o = c->options;
    size_t end = first + CHUNK < o->count ? first + CHUNK : o->count;
    struct err why;

    for (size_t i = first; i < end; i++)
        if (o->work(o->hands[m->index], o->subjects[i], i, &why) != OK) {
            fail(c, i, &why);
            return;
        }
    size_t done = atomic_fetch_add(&c->done, end - first) + end - first;
    if (m->index == 0 && o->progress)
        o->progress(done, o->count, o->arg);
}

static void *run(void *arg)
{
    const struct member *m = arg;
    struct crowd *c = m->crowd;

    while (!atomic_load(&c->is_over)) {
        size_t first = atomic_fetch_add(&c->next, CHUNK);
        if (first >= c->options->count)
            break;
        work_chunk(m, first);
    }
    return NULL;
}

enum err_code crowd_run(const struct crowd_options *options, struct err *err)
{
    struct crowd c = { .options = options };
    struct member members[CROWD_MAX];
    pthread_t threads[CROWD_MAX];
    int started = 1;

    if (pthread_mutex_init(&c.lock, NULL) != 0)
        return err_set(err, ERR_LIMIT, "no memory for threads");
    for (int i = 0; i < options->hand_count; i++)
        members[i] = (struct member){ .crowd = &c, .index = i };
    /* A thread that does not start leaves its share to the others. */
    while (started < options->hand_count &&
           pthread_create(&threads[started], NULL, run, &members[started]) == 0)
        started++;
    run(&members[0]);
    for (int i = 1; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&c.lock);
    return c.err.code == OK ? OK : err_set(err, c.err.code, "%s", c.err.msg);
}

enum err_code rulebook_again(struct rulebook **out, const struct rulebook *b, struct err *err)
{
    struct ruleset_file file, *files;
    int count = 0;

    *out = NULL;
    while (rulebook_file_at(&file, b, count))
        count++;
    files = malloc(((size_t)count + 1) * sizeof(*files));
    if (!files)
        return err_set(err, ERR_LIMIT, "no memory for rules");
    for (int i = 0; i < count; i++)
        rulebook_file_at(&files[i], b, i);
    enum err_code rc = rulebook_load_files(out, files, count, NULL, err);
    free(files);
    return rc;
}

bool hub_of(struct buf *out, const char *subject, struct record *r)
{
    if (strncmp(subject, "hub/", 4) != 0)
        return record_text_fact(out, r, "hub");
    buf_str(out, subject_code(subject));
    return true;
}

/* No hub is called nearly so: which there are, while they fit a line. */
static enum err_code tell_hubs(const char *hub, const struct strmap *const *met, int count,
                               struct err *err)
{
    const char *known[256];
    struct buf list = { 0 };
    size_t n = 0;

    for (int i = 0; i < count; i++)
        for (uint32_t k = 0; k < met[i]->count && n < 256; k++)
            known[n++] = met[i]->items[k].key;
    qsort(known, n, sizeof(known[0]), by_text);
    for (size_t i = 0, told = 0; i < n; i++) {
        if (i > 0 && strcmp(known[i], known[i - 1]) == 0)
            continue; /* more than one hand has met it */
        if (told++ == HUBS_TOLD) {
            buf_str(&list, ", ...");
            break;
        }
        buf_printf(&list, "%s%s", told > 1 ? ", " : "", known[i]);
    }
    err_set(err, ERR_ABSENT, "nothing belongs to hub '%s'%s%s", hub, n > 0 ? "; there are: " : "",
            buf_cstr(&list));
    buf_fini(&list);
    return err->code;
}

enum err_code hub_check(const char *hub, const struct strmap *const *met, int count,
                        struct err *err)
{
    const char *known[256], *nearest = NULL;

    for (int i = 0; i < count; i++) {
        size_t n = 0;
        if (strmap_find(met[i], hub, strlen(hub)))
            return OK;
        if (nearest)
            known[n++] = nearest;
        for (uint32_t k = 0; k < met[i]->count && n < 256; k++)
            known[n++] = met[i]->items[k].key;
        qsort(known, n, sizeof(known[0]), by_text); /* whichever hand met which of them */
        nearest = text_nearest(hub, known, n);
    }
    if (!nearest)
        return tell_hubs(hub, met, count, err);
    return err_set(err, ERR_ABSENT, "nothing belongs to hub '%s'; did you mean \"%s\"?", hub,
                   nearest);
}
