/*
 * service_reload.c - the question "reload": what SIGHUP does, for somebody who waits for how it
 * ends. First what the host reads again (configuration, plugins' files), then the rules.
 */
#include "host/service_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define PARAMS_DEPTH 8

struct reloading {
    struct job job; /* its turn on the loop: a plugin is not called while it asks */
    struct service *service;
    char *params;
    bool is_whole; /* not only a pack that is rolled back */
    pw_answer_fn *done;
    void *arg;
};

static void reloading_end(struct reloading *r, enum pw_status status, const char *text, size_t len)
{
    r->done(r->arg, status, text, len);
    free(r->params);
    free(r);
}

/* "{...}" becomes "{...,"unread":[...]}". */
static void add_member(struct buf *out, const char *text, size_t len, const struct reread *kept)
{
    buf_add(out, text, len > 0 ? len - 1 : 0);
    buf_str(out, ",\"unread\":");
    reread_write(kept, out);
    buf_char(out, '}');
}

static void on_rules(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct reloading *r = arg;
    struct buf told = { 0 };

    if (r->is_whole && status == PW_OK && len > 0 && text[len - 1] == '}') {
        add_member(&told, text, len, r->service->callbacks.kept(r->service->arg));
    } else if (r->is_whole && status == PW_CONFLICT) {
        reread_write_lines(r->service->callbacks.kept(r->service->arg), &told);
        buf_add(&told, text, len);
    } else {
        buf_add(&told, text, len);
    }
    if (told.failed)
        reloading_end(r, PW_FAILED, "no memory for the answer", 24);
    else
        reloading_end(r, status, buf_cstr(&told), told.len);
    buf_fini(&told);
}

static bool is_whole(const char *params)
{
    struct arena arena = { 0 };
    const struct json *given = NULL;
    struct err ignored;

    bool is = json_parse(&given, &arena, params, strlen(params), PARAMS_DEPTH, &ignored) == OK &&
              !json_get(given, "rollback");
    arena_fini(&arena);
    return is;
}

static void on_turn(struct job *job)
{
    static const char BUSY[] = "the daemon is stopping, or much waits already";
    struct reloading *r = job->arg;

    if (r->is_whole)
        r->service->callbacks.reread(r->service->arg);
    if (reload_ask(r->service->reload, "reload", r->params, on_rules, r) != PW_OK)
        reloading_end(r, PW_BUSY, BUSY, sizeof(BUSY) - 1);
}

enum pw_status service_reload_ask(struct service *s, const char *params, pw_answer_fn *done,
                                  void *arg)
{
    struct reloading *r = calloc(1, sizeof(*r));
    char *copy = r ? strdup(params) : NULL;

    if (!copy) {
        free(r);
        return PW_BUSY;
    }
    *r = (struct reloading){ .job = { .done = on_turn, .arg = r },
                             .service = s,
                             .params = copy,
                             .is_whole = s->callbacks.reread && is_whole(params),
                             .done = done,
                             .arg = arg };
    worker_return(s->worker, &r->job);
    return PW_OK;
}
