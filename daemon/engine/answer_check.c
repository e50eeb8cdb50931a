/* answer_check.c - "verify" and "replay": is the database what it says it is? */
#include "engine/reader.h"
#include "engine/replay.h"
#include "store/log.h"

struct differences {
    struct buf *out;
    int count;
};

static void take_difference(const char *table, const char *difference, void *arg)
{
    struct differences *d = arg;

    buf_str(d->out, d->count++ ? ",{\"table\":" : "{\"table\":");
    json_write_cstr(d->out, table);
    buf_str(d->out, ",\"difference\":");
    json_write_cstr(d->out, difference);
    buf_char(d->out, '}');
}

enum err_code answer_verify(struct buf *out, struct reader *r, const struct json *params,
                            struct err *err)
{
    static const char *const KNOWN[] = { NULL };
    int64_t events = 0;
    struct err why;

    if (params_check(params, KNOWN, err) != OK)
        return err->code;
    enum err_code rc = log_verify(&events, r->store, &why);
    if (rc != OK && rc != ERR_CONFLICT)
        return err_set(err, rc, "%s", why.msg);
    buf_printf(out, "{\"ok\":%s,\"events\":%lld,\"error\":", rc == OK ? "true" : "false",
               (long long)events);
    json_write_cstr(out, rc == OK ? NULL : why.msg);
    buf_char(out, '}');
    return OK;
}

enum err_code answer_replay(struct buf *out, struct reader *r, const struct json *params,
                            struct err *err)
{
    static const char *const KNOWN[] = { NULL };
    struct buf list = { 0 };
    struct differences d = { .out = &list };
    struct replay_result result;

    if (params_check(params, KNOWN, err) != OK)
        return err->code;
    enum err_code rc = replay(&result, r->store, take_difference, NULL, &d, err);
    if (rc == OK)
        buf_printf(
            out, "{\"ok\":%s,\"events\":%lld,\"commits\":%lld,\"rows\":%lld,\"differences\":[%s]}",
            result.differences ? "false" : "true", (long long)result.events,
            (long long)result.commits, (long long)result.rows, buf_cstr(&list));
    buf_fini(&list);
    return rc;
}
