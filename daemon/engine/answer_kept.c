/* answer_kept.c - "cursors", "state", "quarantine". */
#include <string.h>

#include "base/civil.h"
#include "engine/reader.h"
#include "store/keep.h"

#define ASIDE_DEFAULT 100
#define ASIDE_MAX     1000

struct listing {
    struct buf *out;
    int64_t last;
    int count;
};

static enum err_code write_cursor(const char *name, int64_t acked, void *arg, struct err *err)
{
    struct listing *l = arg;

    (void)err;
    buf_str(l->out, l->count++ > 0 ? "," : "");
    json_write_cstr(l->out, name);
    buf_printf(l->out, ":%lld", (long long)acked);
    return OK;
}

enum err_code answer_cursors(struct buf *out, struct reader *r, const struct json *params,
                             struct err *err)
{
    static const char *const KNOWN[] = { NULL };
    struct listing l = { .out = out };

    if (params_check(params, KNOWN, err) != OK)
        return err->code;
    buf_char(out, '{');
    enum err_code rc = cursor_each(r->store, write_cursor, &l, err);
    buf_char(out, '}');
    return rc;
}

static enum err_code write_state(const char *key, const char *json, void *arg, struct err *err)
{
    struct listing *l = arg;

    (void)err;
    buf_str(l->out, l->count++ > 0 ? "," : "");
    json_write_cstr(l->out, key);
    buf_printf(l->out, ":%s", json);
    return OK;
}

enum err_code answer_state(struct buf *out, struct reader *r, const struct json *params,
                           struct err *err)
{
    static const char *const KNOWN[] = { "plugin", NULL };
    struct listing l = { .out = out };
    const char *plugin;

    if (params_check(params, KNOWN, err) != OK || params_text(&plugin, params, "plugin", err) != OK)
        return err->code;
    if (!plugin)
        return err_set(err, ERR_INPUT, "plugin is missing; expected a plugin's name");
    buf_char(out, '{');
    enum err_code rc = state_each(r->store, plugin, write_state, &l, err);
    buf_char(out, '}');
    return rc;
}

static enum err_code write_aside(const struct set_aside *a, void *arg, struct err *err)
{
    struct listing *l = arg;

    (void)err;
    buf_printf(l->out, "%s{\"number\":%lld,\"origin\":", l->count++ > 0 ? "," : "",
               (long long)a->number);
    json_write_cstr(l->out, a->origin);
    buf_str(l->out, ",\"received\":");
    write_moment(l->out, a->received);
    buf_str(l->out, ",\"reason\":");
    json_write_cstr(l->out, a->reason);
    buf_str(l->out, ",\"body\":");
    json_write_string(l->out, a->body ? a->body : "", a->len);
    buf_char(l->out, '}');
    l->last = a->number;
    return OK;
}

/* A page of what was set aside; with `number`, that one alone. */
enum err_code answer_quarantine(struct buf *out, struct reader *r, const struct json *params,
                                struct err *err)
{
    static const char *const KNOWN[] = { "after", "limit", "number", NULL };
    struct listing l = { .out = out };
    int64_t after, limit, number, total;

    if (params_check(params, KNOWN, err) != OK ||
        params_int(&after, params, "after", 0, INT64_MAX, 0, err) != OK ||
        params_int(&limit, params, "limit", 1, ASIDE_MAX, ASIDE_DEFAULT, err) != OK ||
        params_int(&number, params, "number", 1, INT64_MAX, 0, err) != OK ||
        aside_count(&total, r->store, err) != OK)
        return err->code;
    if (number > 0) {
        after = number - 1;
        limit = 1;
    }
    buf_printf(out, "{\"total\":%lld,\"items\":[", (long long)total);
    enum err_code rc = aside_each(r->store, after, limit, write_aside, &l, err);
    if (rc == OK && number > 0 && l.last != number)
        return err_set(err, ERR_ABSENT, "there is no number %lld in the quarantine",
                       (long long)number);
    if (l.count == limit && number == 0)
        buf_printf(out, "],\"next\":%lld}", (long long)l.last);
    else
        buf_str(out, "],\"next\":null}");
    return rc;
}
