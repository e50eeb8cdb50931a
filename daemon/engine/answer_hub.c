/* answer_hub.c - "subject" of a hub: beside what its own events make of it (few packs have any),
 * what belongs to it, as the summary and the list tell it. */
#include <stdio.h>
#include <string.h>

#include "engine/crowd.h"
#include "engine/packs.h"
#include "engine/reader.h"
#include "lua/declared.h"

#define GROUPS_MAX 1000 /* of a hub, by name; their number is always told */
#define HUBS_MAX   1000

/* The answer to another question about the hub, at the same moments. */
static enum err_code ask(const struct json **out, answer_fn *question, struct reader *r,
                         const struct json *params, const char *of, struct err *err)
{
    static const char *const SAME[] = { "at", "known", "rules" };
    struct buf text = { 0 }, answer = { 0 };
    const struct json *asked = NULL;

    buf_printf(&text, "{%s", of);
    for (size_t i = 0; i < sizeof(SAME) / sizeof(SAME[0]); i++)
        if (json_get(params, SAME[i])) {
            buf_printf(&text, "%s\"%s\":", text.len > 1 ? "," : "", SAME[i]);
            json_write(&text, json_get(params, SAME[i]));
        }
    buf_char(&text, '}');
    char *kept = text.failed ? NULL : arena_strdup(&r->arena, buf_cstr(&text));
    enum err_code rc = kept ? json_parse(&asked, &r->arena, kept, text.len, EVENT_MAX_DEPTH, err)
                            : err_set(err, ERR_LIMIT, "no memory to tell of a hub");
    if (rc == OK)
        rc = question(&answer, r, asked, err);
    if (rc == OK && (answer.failed || !(kept = arena_strdup(&r->arena, buf_cstr(&answer)))))
        rc = err_set(err, ERR_LIMIT, "no memory to tell of a hub");
    if (rc == OK)
        rc = json_parse(out, &r->arena, kept, answer.len, EVENT_MAX_DEPTH, err);
    buf_fini(&text);
    buf_fini(&answer);
    return rc;
}

static int64_t count_of(const struct json *summary, const char *kind)
{
    const struct json *count = json_get(json_get(summary, kind), "count");
    return count && count->type == JSON_INT ? count->as.integer : 0;
}

/* Nothing belongs to it: it may be a slip for one of those that there are. */
static enum err_code check_hub(struct reader *r, const struct json *params, const char *hub,
                               struct err *err)
{
    const struct json *all;
    struct strmap codes = { 0 };
    const struct strmap *const met[] = { &codes };

    if (ask(&all, answer_summary, r, params, "", err) != OK)
        return err->code;
    enum err_code rc = OK;
    const struct json *hubs = json_get(all, "hubs");
    for (const struct json *h = hubs && hubs->len ? hubs->as.first : NULL; h && rc == OK;
         h = h->next) {
        const struct json *code = json_get(h, "hub");
        if (!strmap_add(&codes, code->as.string, code->len, NULL))
            rc = err_set(err, ERR_LIMIT, "no memory to tell of a hub");
    }
    if (rc == OK)
        rc = hub_check(hub, met, 1, err);
    strmap_fini(&codes);
    return rc;
}

/* ,"alerts":{NAME: how many}: those that are on somewhere. */
static void write_alerts(struct buf *out, const struct ruleset *rs, const struct json *summary)
{
    static const char *const KINDS[] = { [SUBJECT_SCHOOL] = "schools", [SUBJECT_GROUP] = "groups" };
    const char *comma = "";

    buf_str(out, ",\"alerts\":{");
    for (uint16_t i = 0; i < ruleset_rule_count(rs); i++) {
        struct rule_info rule = ruleset_rule(rs, i);
        if (!rule.is_alert || rule.of > SUBJECT_GROUP)
            continue;
        const struct json *decisions = json_get(json_get(summary, KINDS[rule.of]), "decisions");
        const struct json *on = json_get(json_get(decisions, rule.name), "true");
        if (!on)
            continue;
        buf_str(out, comma);
        comma = ",";
        json_write_cstr(out, rule.name);
        buf_printf(out, ":%lld", (long long)on->as.integer);
    }
    buf_char(out, '}');
}

static void write_groups(struct buf *out, const struct json *summary, const struct json *list)
{
    const struct json *items = json_get(list, "items");
    const char *comma = "";

    buf_printf(
        out, ",\"groups\":{\"count\":%lld,\"decisions\":", (long long)count_of(summary, "groups"));
    json_write(out, json_get(json_get(summary, "groups"), "decisions"));
    buf_str(out, ",\"items\":[");
    for (const struct json *g = items && items->len ? items->as.first : NULL; g; g = g->next) {
        buf_str(out, comma);
        comma = ",";
        json_write(out, json_get(g, "subject"));
    }
    buf_str(out, "]}");
}

/* ,"pack":{...}: the overlay's generation; null: there is none, nor was one tried. */
static enum err_code write_pack(struct buf *out, struct reader *r, const char *hub, struct err *err)
{
    char pack[SUBJECT_MAX + 8];
    struct buf state = { 0 };

    snprintf(pack, sizeof(pack), "hubs/%s", hub);
    enum err_code rc = packs_write_one(&state, r->store, pack, err);
    buf_printf(out, ",\"pack\":%s", rc == OK ? buf_cstr(&state) : "null");
    out->failed = out->failed || state.failed;
    buf_fini(&state);
    return rc == ERR_ABSENT ? OK : rc;
}

enum err_code hub_belonging(struct buf *out, struct reader *r, const struct json *params,
                            const char *hub, bool is_known, struct err *err)
{
    const struct json *summary, *list;
    struct buf of = { 0 };
    char limit[64];

    buf_str(&of, "\"hub\":");
    json_write_cstr(&of, hub);
    enum err_code rc = ask(&summary, answer_summary, r, params, buf_cstr(&of), err);
    snprintf(limit, sizeof(limit), ",\"kind\":\"group\",\"limit\":%d", GROUPS_MAX);
    buf_str(&of, limit);
    if (rc == OK && count_of(summary, "groups") > 0)
        rc = ask(&list, answer_list, r, params, buf_cstr(&of), err);
    else
        list = NULL;
    buf_fini(&of);
    if (rc != OK)
        return rc;
    if (!is_known && count_of(summary, "schools") + count_of(summary, "groups") == 0)
        return check_hub(r, params, hub, err);
    buf_str(out, ",\"schools\":");
    json_write(out, json_get(summary, "schools"));
    write_groups(out, summary, list);
    write_alerts(out, rulebook_of_hub(r->rules, hub), summary);
    return write_pack(out, r, hub, err);
}

/* ---- all of them ---- */

struct hubs {
    struct buf *out;
    int limit, count;
    const char *last;
    bool more;
};

static bool has_room(struct hubs *h, const char *subject)
{
    h->more = h->count == h->limit;
    if (h->more)
        return false;
    buf_str(h->out, h->count++ ? "," : "");
    h->last = subject;
    return true;
}

static const char *text_of(const struct json *params, const char *name)
{
    const struct json *text = json_get(params, name);
    return text && text->type == JSON_STRING ? text->as.string : NULL;
}

/* Is it asked for, and on this page? Of a decision a hub without events has none. */
static bool is_wanted(const struct json *params, const char *subject)
{
    const char *code = subject_code(subject), *hub = text_of(params, "hub"),
               *q = text_of(params, "q"), *after = text_of(params, "after");
    const struct json *where = json_get(params, "where");

    return (!hub || strcmp(hub, code) == 0) && (!q || strcasestr(code, q)) &&
           (!after || strcmp(subject, after) > 0) && (!where || where->len == 0);
}

static void write_known(struct hubs *h, struct arena *arena, const struct json *params,
                        const char *code)
{
    char subject[SUBJECT_MAX + 8];

    snprintf(subject, sizeof(subject), "hub/%s", code);
    const char *kept = arena_strdup(arena, subject);
    h->out->failed = h->out->failed || !kept;
    if (!kept || !is_wanted(params, kept) || !has_room(h, kept))
        return;
    buf_str(h->out, "{\"subject\":");
    json_write_cstr(h->out, kept);
    buf_str(h->out, ",\"code\":");
    json_write_cstr(h->out, code);
    buf_str(h->out, ",\"name\":null,\"hub\":");
    json_write_cstr(h->out, code);
    buf_str(h->out, ",\"decisions\":{}}");
}

/* Both are in the order of their codes, which is that of the subjects. */
static void merge(struct hubs *h, struct arena *arena, const struct json *params,
                  const struct json *of_events, const struct json *known)
{
    const struct json *row = of_events && of_events->len ? of_events->as.first : NULL;
    const struct json *hub = known && known->len ? known->as.first : NULL;

    while ((row || hub) && !h->more && !h->out->failed) {
        const char *subject = row ? text_of(row, "subject") : NULL;
        const char *code = hub ? text_of(hub, "hub") : NULL;
        int order = !row ? 1 : !hub ? -1 : strcmp(subject_code(subject), code);
        if (order > 0)
            write_known(h, arena, params, code);
        else if (has_room(h, subject))
            json_write(h->out, row);
        row = order <= 0 ? row->next : row;
        hub = order >= 0 ? hub->next : hub;
    }
}

enum err_code hub_page(struct buf *out, struct reader *r, const struct json *params, int limit,
                       answer_fn *of_events, struct err *err)
{
    static const char *const MORE[] = { "hub", "q", "where", "after" };
    const struct json *page, *summary;
    struct hubs h = { .out = out, .limit = limit };
    struct buf asked = { 0 };

    buf_printf(&asked, "\"kind\":\"hub\",\"limit\":%d", HUBS_MAX);
    for (size_t i = 0; i < sizeof(MORE) / sizeof(MORE[0]); i++)
        if (json_get(params, MORE[i])) {
            buf_printf(&asked, ",\"%s\":", MORE[i]);
            json_write(&asked, json_get(params, MORE[i]));
        }
    enum err_code rc = ask(&page, of_events, r, params, buf_cstr(&asked), err);
    buf_fini(&asked);
    if (rc == OK)
        rc = ask(&summary, answer_summary, r, params, "", err);
    if (rc != OK)
        return rc;
    buf_str(out, "{\"seq\":");
    json_write(out, json_get(page, "seq"));
    buf_str(out, ",\"items\":[");
    merge(&h, &r->arena, params, json_get(page, "items"), json_get(summary, "hubs"));
    buf_str(out, "],\"next\":");
    json_write_cstr(out, h.more ? h.last : NULL);
    buf_str(out, ",\"place\":");
    json_write(out, json_get(page, "place"));
    if (json_get(page, "waiting")) {
        buf_str(out, ",\"waiting\":");
        json_write(out, json_get(page, "waiting"));
    }
    buf_char(out, '}');
    return OK;
}
