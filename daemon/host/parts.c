/* parts.c - see parts.h. */
#include "host/parts.h"

#include <stdlib.h>

struct parts {
    struct job *whole;
    size_t left; /* that are not done */
    struct job jobs[];
};

static void finish_part(struct job *job)
{
    struct parts *p = job->arg;
    struct job *whole = p->whole;

    if (job->code != OK && whole->code == OK) {
        whole->code = job->code;
        whole->err = job->err;
    }
    if (--p->left > 0)
        return;
    free(p);
    whole->done(whole);
}

struct job *parts_of(struct job *whole, size_t max_events)
{
    if (whole->kind != JOB_TAKE || whole->count <= max_events)
        return whole;
    size_t n = (whole->count + max_events - 1) / max_events;
    struct parts *p = calloc(1, sizeof(*p) + n * sizeof(p->jobs[0]));
    if (!p)
        return NULL;
    p->whole = whole;
    p->left = n;
    for (size_t i = 0, first = 0; i < n; i++, first += max_events) {
        size_t rest = whole->count - first;
        p->jobs[i] = (struct job){ .kind = JOB_TAKE,
                                   .next = i + 1 < n ? &p->jobs[i + 1] : NULL,
                                   .bytes = whole->bytes / n + (i < whole->bytes % n),
                                   .items = whole->items + first,
                                   .count = rest < max_events ? rest : max_events,
                                   .done = finish_part,
                                   .arg = p };
    }
    return p->jobs;
}

void parts_free(struct job *parts, const struct job *whole)
{
    if (parts && parts != whole)
        free(parts->arg);
}
