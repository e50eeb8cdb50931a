/*
 * plugin_host.c - what a plugin may call. Callbacks go by way of a struct call, so that they are
 * dropped when the plugin is gone, and it is known whose code runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "host/plugin_internal.h"

#define CHANGES_MAX 10000
#define VALUE_DEPTH 64

struct call {
    struct slot *slot;
    union {
        pw_submitted_fn *submitted;
        pw_answer_fn *answer;
        pw_changes_fn *changes;
        pw_cursor_fn *cursor;
    } done;
    void *arg;
};

static bool is_alive(const struct slot *slot)
{
    return slot->state != SLOT_STOPPED;
}

static struct call *call_new(struct slot *slot, void *arg)
{
    struct call *c = calloc(1, sizeof(*c));
    if (c)
        *c = (struct call){ .slot = slot, .arg = arg };
    return c;
}

/* The call as it was, its memory freed: its callback may do anything. */
static struct call call_end(void *arg)
{
    struct call call = *(struct call *)arg;
    free(arg);
    return call;
}

const char *plugin_enter(const struct slot *slot)
{
    return loopwatch_enter(slot->plugins->watch, slot->plugin->name);
}

static void leave(const struct slot *slot, const char *before)
{
    loopwatch_enter(slot->plugins->watch, before);
}

/* PW_OK: the call is under way; else it is freed. */
static enum pw_status begun(enum pw_status status, struct call *call)
{
    if (status != PW_OK)
        free(call);
    return status;
}

/* ---- the loop, the log, the configuration ---- */

static void *host_loop(void *ctx)
{
    const struct slot *slot = ctx;
    return slot->plugins->loop;
}

static void host_log(void *ctx, int level, const char *line)
{
    const struct slot *slot = ctx;
    log_line(level < 0 || level > 3 ? LOG_INFO : (enum log_level)level, "%s: %s",
             slot->plugin->name, line ? line : "");
}

/* A key that the section leaves open is answered from [daemon]: max_body holds for all. */
static const char *host_config(void *ctx, const char *key)
{
    const struct slot *slot = ctx;
    const char *own = config_value(slot->section, key);
    return own ? own : config_value(config_section(slot->plugins->config, "daemon"), key);
}

static const char *host_folder(void *ctx)
{
    const struct slot *slot = ctx;
    return slot->plugins->folder;
}

/* ---- events in ---- */

static void on_submitted(void *arg, const struct pw_submit_result *result)
{
    const struct call call = call_end(arg);

    if (!is_alive(call.slot))
        return;
    const char *before = plugin_enter(call.slot);
    call.done.submitted(call.arg, result);
    leave(call.slot, before);
}

static enum pw_status host_submit_as(void *ctx, enum pw_format format, const char *bytes,
                                     size_t len, const char *actor, const char *hubs,
                                     pw_submitted_fn *done, void *arg)
{
    struct slot *slot = ctx;

    if (!done || (!bytes && len > 0) || (unsigned)format > PW_NDJSON)
        return PW_INPUT;
    struct call *call = call_new(slot, arg);
    if (!call)
        return PW_BUSY;
    call->done.submitted = done;
    return begun(service_submit(slot->plugins->service, format, bytes ? bytes : "", len, actor,
                                hubs, on_submitted, call),
                 call);
}

static enum pw_status host_submit(void *ctx, enum pw_format format, const char *bytes, size_t len,
                                  const char *actor, pw_submitted_fn *done, void *arg)
{
    return host_submit_as(ctx, format, bytes, len, actor, NULL, done, arg);
}

/* ---- who is asking ---- */

static enum pw_status host_identify(void *ctx, const char *token, struct pw_identity *out)
{
    const struct slot *slot = ctx;
    return service_identify(slot->plugins->service, token, out);
}

/* ---- questions ---- */

static void on_answer(void *arg, enum pw_status status, const char *text, size_t len)
{
    const struct call call = call_end(arg);

    if (!is_alive(call.slot) || !call.done.answer)
        return;
    const char *before = plugin_enter(call.slot);
    call.done.answer(call.arg, status, text, len);
    leave(call.slot, before);
}

static enum pw_status host_ask(void *ctx, const char *question, const char *params_json,
                               pw_answer_fn *done, void *arg)
{
    struct slot *slot = ctx;
    struct plugins *p = slot->plugins;

    if (!question || !done || strcmp(question, "keep") == 0)
        return PW_INPUT;
    struct call *call = call_new(slot, arg);
    if (!call)
        return PW_BUSY;
    call->done.answer = done;
    bool is_plugins = strchr(question, '.') && !service_is_own(question);
    return begun(is_plugins ? question_ask(p, question, params_json, on_answer, call)
                            : service_ask(p->service, question, params_json, on_answer, call),
                 call);
}

/* ---- the feed ---- */

static void on_changes(void *arg, enum pw_status status, const char *text, size_t len)
{
    const struct call call = call_end(arg);
    struct pw_changes page = { .status = status, .error = text };
    struct pw_change *items = NULL;
    struct arena arena = { 0 };
    struct buf copy = { 0 };

    if (!is_alive(call.slot))
        return;
    if (status == PW_OK) {
        buf_add(&copy, text, len);
        page.status = copy.failed || !buf_room(&copy, 1)
                          ? PW_FAILED
                          : entries_read(&items, &page.count, &arena, copy.data, copy.len);
        page.error = page.status == PW_OK ? NULL : "the feed can not be read";
        page.count = page.status == PW_OK ? page.count : 0;
        page.items = items;
    }
    page.head = service_head(call.slot->plugins->service);
    const char *before = plugin_enter(call.slot);
    call.done.changes(call.arg, &page);
    leave(call.slot, before);
    free(items);
    arena_fini(&arena);
    buf_fini(&copy);
}

static enum pw_status host_changes(void *ctx, int64_t after, int limit, pw_changes_fn *done,
                                   void *arg)
{
    struct slot *slot = ctx;
    char params[128];

    if (!done || after < 0 || limit < 1 || limit > CHANGES_MAX)
        return PW_INPUT;
    struct call *call = call_new(slot, arg);
    if (!call)
        return PW_BUSY;
    call->done.changes = done;
    snprintf(params, sizeof(params), "{\"after\":%lld,\"limit\":%d,\"format\":\"ndjson\"}",
             (long long)after, limit);
    return begun(service_ask(slot->plugins->service, "changes", params, on_changes, call), call);
}

static void on_cursor(void *arg, enum pw_status status, struct pw_cursor *cursor, int64_t place,
                      const char *error)
{
    const struct call call = call_end(arg);

    if (!is_alive(call.slot)) {
        cursor_close(cursor, false);
        return;
    }
    const char *before = plugin_enter(call.slot);
    call.done.cursor(call.arg, status, cursor, place, error);
    leave(call.slot, before);
}

static enum pw_status host_cursor_open(void *ctx, const char *name, int64_t from,
                                       pw_cursor_fn *opened, void *arg)
{
    struct slot *slot = ctx;

    if (!opened)
        return PW_INPUT;
    struct call *call = call_new(slot, arg);
    if (!call)
        return PW_BUSY;
    call->done.cursor = opened;
    return begun(
        cursor_open(slot->plugins->consumers, slot->plugin->name, name, from, on_cursor, call),
        call);
}

static void host_cursor_ack(void *ctx, struct pw_cursor *cursor, int64_t seq)
{
    (void)ctx;
    cursor_ack(cursor, seq);
}

static void host_cursor_move(void *ctx, struct pw_cursor *cursor, int64_t seq)
{
    (void)ctx;
    cursor_move(cursor, seq);
}

static void host_cursor_close(void *ctx, struct pw_cursor *cursor, bool forget)
{
    (void)ctx;
    cursor_close(cursor, forget);
}

/* ---- what is remembered, and set aside ---- */

static enum pw_status ask_state(const struct slot *slot, pw_answer_fn *done, void *arg)
{
    char params[128];

    snprintf(params, sizeof(params), "{\"plugin\":\"%s\"}", slot->plugin->name);
    return service_ask(slot->plugins->service, "state", params, done, arg);
}

static enum pw_status state_ask(struct slot *slot, pw_answer_fn *done, void *arg)
{
    struct plugins *p = slot->plugins;

    if (service_is_ready(p->service))
        return ask_state(slot, done, arg);
    struct early *e = p->is_stopping ? NULL : calloc(1, sizeof(*e));
    if (!e)
        return PW_BUSY;
    *e = (struct early){ .next = p->early, .slot = slot, .done = done, .arg = arg };
    p->early = e;
    return PW_OK;
}

void early_go_on(struct plugins *p, const char *error)
{
    static const char BUSY[] = "too many questions wait";

    while (p->early) {
        struct early *e = p->early;
        p->early = e->next;
        if (error)
            e->done(e->arg, PW_BUSY, error, strlen(error));
        else if (ask_state(e->slot, e->done, e->arg) != PW_OK)
            e->done(e->arg, PW_BUSY, BUSY, sizeof(BUSY) - 1);
        free(e);
    }
}

static enum pw_status host_state_get(void *ctx, pw_answer_fn *done, void *arg)
{
    struct slot *slot = ctx;

    if (!done)
        return PW_INPUT;
    struct call *call = call_new(slot, arg);
    if (!call)
        return PW_BUSY;
    call->done.answer = done;
    return begun(state_ask(slot, on_answer, call), call);
}

static enum pw_status keep(struct slot *slot, struct buf *op, pw_answer_fn *done, void *arg)
{
    struct call *call = call_new(slot, arg);

    if (!call) {
        buf_fini(op);
        return PW_BUSY;
    }
    call->done.answer = done;
    return begun(keeper_add(slot->plugins->keeper, op, true, on_answer, call, NULL) == OK ? PW_OK
                                                                                          : PW_BUSY,
                 call);
}

static bool is_json(const char *text)
{
    const struct json *tree = NULL;
    struct arena arena = { 0 };
    struct err why;
    bool ok = json_parse(&tree, &arena, text, strlen(text), VALUE_DEPTH, &why) == OK;

    arena_fini(&arena);
    return ok;
}

static enum pw_status host_state_set(void *ctx, const char *key, const char *json,
                                     pw_answer_fn *done, void *arg)
{
    struct slot *slot = ctx;
    struct buf op = { 0 };

    if (!plugin_is_good_name(key) || (json && !is_json(json)))
        return PW_INPUT;
    buf_str(&op, "[\"state\",");
    json_write_cstr(&op, slot->plugin->name);
    buf_char(&op, ',');
    json_write_cstr(&op, key);
    buf_char(&op, ',');
    json_write_cstr(&op, json);
    buf_char(&op, ']');
    return keep(slot, &op, done, arg);
}

static enum pw_status host_quarantine(void *ctx, const char *origin, const char *reason,
                                      const char *bytes, size_t len, pw_answer_fn *done, void *arg)
{
    struct slot *slot = ctx;
    struct buf op = { 0 };

    if (!origin || !reason || (!bytes && len > 0))
        return PW_INPUT;
    buf_str(&op, "[\"aside\",");
    json_write_cstr(&op, origin);
    buf_char(&op, ',');
    json_write_cstr(&op, reason);
    buf_printf(&op, ",%lld,", (long long)service_now(slot->plugins->service));
    json_write_string(&op, bytes ? bytes : "", len);
    buf_char(&op, ']');
    return keep(slot, &op, done, arg);
}

/* ---- answering, and the end ---- */

static uint64_t host_mark(void *ctx)
{
    const struct slot *slot = ctx;
    return service_mark(slot->plugins->service);
}

static enum pw_status host_offer(void *ctx, const char *name, pw_question_fn *fn)
{
    return question_offer(ctx, name, fn);
}

static void host_answer(void *ctx, struct pw_question *question, enum pw_status status,
                        const char *text, size_t len)
{
    question_answered(ctx, question, status, text, len);
}

static void host_give_up(void *ctx, const char *reason)
{
    struct slot *slot = ctx;

    if (slot->state != SLOT_RUNNING && slot->state != SLOT_STARTING)
        return;
    free(slot->fault);
    slot->fault = strdup(reason && *reason ? reason : "it gave no reason");
    slot->state = SLOT_GIVING_UP;
    plugins_soon(slot->plugins);
}

void plugin_host_fill(struct slot *slot)
{
    slot->host = (struct pw_host){
        .size = sizeof(slot->host),
        .ctx = slot,
        .loop = host_loop,
        .log = host_log,
        .config = host_config,
        .submit = host_submit,
        .ask = host_ask,
        .changes = host_changes,
        .cursor_open = host_cursor_open,
        .cursor_ack = host_cursor_ack,
        .cursor_move = host_cursor_move,
        .cursor_close = host_cursor_close,
        .state_get = host_state_get,
        .state_set = host_state_set,
        .quarantine = host_quarantine,
        .offer = host_offer,
        .answer = host_answer,
        .measure = plugin_sample,
        .give_up = host_give_up,
        .folder = host_folder,
        .identify = host_identify,
        .submit_as = host_submit_as,
        .mark = host_mark,
    };
}
