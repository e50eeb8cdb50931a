/* service_command.c - what the engine thread is told to do, and answers from here: one heap object
 * each. */
#include "host/service_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"

#define PARAMS_DEPTH 64

/* A command or an answer of the host's own. */
struct command {
    struct job job;
    struct service *service;
    struct arena arena; /* of its parameters */
    char *name;
    pw_answer_fn *done;
    void *arg;
};

/* A command about tokens: what it changed holds from now on. */
static void take_keys(struct command *c)
{
    struct job *job = &c->job;
    struct buf result = { 0 };

    job->code = access_take(&c->service->access, &result, job->answer, &job->err);
    free(job->answer);
    job->answer = job->code == OK ? buf_take(&result) : NULL;
    buf_fini(&result);
}

static void finish_command(struct job *job)
{
    struct command *c = job->arg;

    if (job->code == OK && job->answer && strncmp(c->name, "token.", 6) == 0)
        take_keys(c);
    const char *text = job->code == OK && job->answer ? job->answer : job->err.msg;

    if (service_status_of(job->code) == PW_FAILED)
        log_err("host: command failed name=%s error=%s", c->name, job->err.msg);
    c->done(c->arg, service_status_of(job->code), text, strlen(text));
    arena_fini(&c->arena);
    free(job->answer);
    free(c->name);
    free(c);
}

static struct command *command_new(const char *name, pw_answer_fn *done, void *arg)
{
    struct command *c = calloc(1, sizeof(*c));
    if (!c)
        return NULL;
    c->done = done;
    c->arg = arg;
    c->name = strdup(name);
    c->job =
        (struct job){ .kind = JOB_COMMAND, .command = c->name, .done = finish_command, .arg = c };
    if (c->name)
        return c;
    free(c);
    return NULL;
}

enum pw_status service_command(struct service *s, const char *name, const char *params,
                               pw_answer_fn *done, void *arg)
{
    struct command *c = command_new(name, done, arg);
    if (!c)
        return PW_BUSY;
    struct job *job = &c->job;
    c->service = s;
    job->bytes = strlen(params);
    job->code = json_parse(&job->params, &c->arena, params, job->bytes, PARAMS_DEPTH, &job->err);
    if (job->code != OK) {
        worker_return(s->worker, job);
        return PW_OK;
    }
    if (worker_put(s->worker, job, NULL) == OK)
        return PW_OK;
    arena_fini(&c->arena);
    free(c->name);
    free(c);
    return PW_BUSY;
}

enum pw_status service_answer(struct service *s, const char *question, char *text,
                              pw_answer_fn *done, void *arg)
{
    struct command *c = command_new(question, done, arg);

    if (!c) {
        free(text);
        return PW_BUSY;
    }
    c->job.answer = text;
    if (!text)
        c->job.code = err_set(&c->job.err, ERR_LIMIT, "no memory for the answer");
    worker_return(s->worker, &c->job);
    return PW_OK;
}

static const char *const COMMANDS[] = { "person.set",   "person.erase", "note.erase",   "token.add",
                                        "token.revoke", "keep",         "aside.discard" };

bool service_is_own(const char *question)
{
    size_t len = strcspn(question, ".");

    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
        if (strncmp(question, COMMANDS[i], len) == 0 && COMMANDS[i][len] == question[len])
            return true;
    return false;
}

bool service_is_command(const char *question)
{
    for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++)
        if (strcmp(question, COMMANDS[i]) == 0)
            return true;
    return false;
}
