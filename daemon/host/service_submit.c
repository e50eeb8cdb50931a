/* service_submit.c - events on their way in. Each submission is one heap object, freed when it has
 * been answered. */
#include "host/service_internal.h"

#include <stdlib.h>

/* Events on their way. */
struct submission {
    struct job job;
    struct service *service;
    struct intake *intake;
    enum pw_status status; /* when it was refused before it was queued */
    pw_submitted_fn *done;
    void *arg;
};

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
    sub->status = service_status_of(job->code);
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
