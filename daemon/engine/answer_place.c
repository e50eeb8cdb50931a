/* answer_place.c - "place"; and places in the feed as parameters: a number, or ID/NUMBER, as
 * entries are called. */
#include <stdlib.h>
#include <string.h>

#include "engine/reader.h"
#include "store/derived.h"
#include "store/life.h"

/* Cut ID/NUMBER in two. */
static bool split(const char **id, size_t *id_len, int64_t *seq, const char *text)
{
    const char *slash = strrchr(text, '/');
    const char *digits = slash ? slash + 1 : NULL;
    size_t len = digits ? strlen(digits) : 0;

    if (!slash || slash == text || len == 0 || len > 18 || strspn(digits, "0123456789") != len)
        return false;
    *id = text;
    *id_len = (size_t)(slash - text);
    *seq = strtoll(digits, NULL, 10);
    return true;
}

void write_place(struct buf *out, const struct reader *r, int64_t seq)
{
    buf_printf(out, "\"%s/%lld\"", life_of(r->store, seq), (long long)seq);
}

/* Who has what the feed has not takes the lists again: one can not say to it what changed. */
static enum err_code lost(const struct reader *r, const char *name, const char *text,
                          int64_t common, int64_t head, struct err *err)
{
    static const char AGAIN[] = "take the lists again, and go on from their place";

    if (common == LIFE_UNKNOWN)
        return err_set(err, ERR_CONFLICT,
                       "%s: found \"%.80s\", of another database than this one, \"%s\"; %s", name,
                       text, store_id(r->store), AGAIN);
    return err_set(
        err, ERR_CONFLICT,
        "%s: found \"%.80s\", which is not in this feed, whose last entry is \"%s/%lld\": a "
        "backup that ends at %lld was put in the place of the database; %s",
        name, text, life_of(r->store, head), (long long)head, (long long)common, AGAIN);
}

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

enum err_code params_place(int64_t *out, const struct reader *r, const struct json *params,
                           const char *name, int64_t head, struct err *err)
{
    const struct json *v = json_get(params, name);
    const char *id;
    size_t id_len;

    if (!v || v->type != JSON_STRING || is_number(v->as.string))
        return params_int(out, params, name, 0, INT64_MAX, 0, err);
    if (!split(&id, &id_len, out, v->as.string))
        return err_set(
            err, ERR_INPUT,
            "%s: found \"%.80s\", expected a number of the feed, or an entry's id such as "
            "%s/4711",
            name, v->as.string, store_id(r->store));
    int64_t common = life_common(r->store, id, id_len, *out, head);
    return common == *out ? OK : lost(r, name, v->as.string, common, head, err);
}

enum err_code answer_place(struct buf *out, struct reader *r, const struct json *params,
                           struct err *err)
{
    static const char *const KNOWN[] = { "of", NULL };
    const char *of, *id;
    size_t id_len;
    int64_t seq, head;

    if (params_check(params, KNOWN, err) != OK || params_text(&of, params, "of", err) != OK ||
        feed_last_seq(&head, r->store, err) != OK)
        return err->code;
    if (!of || !split(&id, &id_len, &seq, of))
        return err_set(err, ERR_INPUT,
                       "of: found \"%.80s\", expected an entry's id such as %s/4711", of ? of : "",
                       store_id(r->store));
    int64_t common = life_common(r->store, id, id_len, seq, head);
    if (common == LIFE_UNKNOWN)
        buf_str(out, "{\"common\":null");
    else
        buf_printf(out, "{\"common\":%lld", (long long)common);
    buf_printf(out, ",\"seq\":%lld,\"place\":", (long long)head);
    write_place(out, r, head);
    buf_char(out, '}');
    return OK;
}
