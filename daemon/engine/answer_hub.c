/* answer_hub.c - "subject" of a hub: beside what its own events make of it (few packs have any),
 * what belongs to it, as the summary and the list tell it. */
#include <stdio.h>
#include <string.h>

#include "engine/crowd.h"
#include "engine/packs.h"
#include "engine/reader.h"
#include "lua/declared.h"

#define GROUPS_MAX 1000 /* of a hub, by name; their number is always told */

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
