/* answer_advise.c - "advise": the smallest sets of events that would make a decision true. */
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/advise.h"
#include "engine/reader.h"
#include "store/derived.h"

#define LOOK_AHEAD_DAYS (3 * 366) /* how far, when it is not said: longer than any phase lasts */

static enum err_code read_request(struct advice *a, struct instants *when, struct reader *r,
                                  const struct json *params, struct err *err)
{
    static const char *const KNOWN[] = { "subject", "decision", "at", "known",
                                         "rules",   "until",    NULL };
    enum subject_kind kind;
    const char *until;
    char at[TIME_TEXT];

    if (params_check(params, KNOWN, err) != OK ||
        params_text(&a->subject, params, "subject", err) != OK ||
        params_text(&a->decision, params, "decision", err) != OK ||
        params_text(&until, params, "until", err) != OK ||
        params_instants(when, r, params, err) != OK)
        return err->code;
    if (!a->subject || !a->decision)
        return err_set(err, ERR_INPUT, "%s is missing; expected one such as %s",
                       !a->subject ? "subject" : "decision",
                       !a->subject ? "school/100001" : "eligible_development");
    if (subject_parse(&kind, a->subject, strlen(a->subject), err) != OK)
        return err->code;
    a->at = when->at;
    a->until = london_add_days(a->at, LOOK_AHEAD_DAYS);
    if (until && moment_parse(&a->until, until, err) != OK)
        return err_at(err, "until");
    return a->until < a->at ? err_set(err, ERR_INPUT,
                                      "until: found %s, which is before %s, when the events would "
                                      "happen",
                                      until, moment_text(a->at, at))
                            : OK;
}

static void write_set(struct buf *out, const struct advice_set *set)
{
    buf_str(out, "{\"true_at\":");
    write_moment(out, set->true_at);
    buf_str(out, ",\"events\":[");
    for (int i = 0; i < set->count; i++) {
        buf_str(out, i ? ",{\"advice\":" : "{\"advice\":");
        json_write_cstr(out, set->titles[i]);
        buf_printf(out, ",\"event\":%s}", set->events[i]);
    }
    buf_str(out, "]}");
}

static void write_obstacle(struct buf *out, const struct obstacle *o)
{
    buf_str(out, "{\"rule\":");
    json_write_cstr(out, o->rule);
    buf_str(out, ",\"title\":");
    json_write_cstr(out, o->title);
    buf_printf(out, ",\"wanted\":%s,\"advice\":", o->is_wanted ? "true" : "false");
    json_write_cstr(out, o->advice);
    buf_printf(out, ",\"reachable\":%s,\"comes_at\":", o->is_reachable ? "true" : "false");
    write_moment(out, o->comes_at);
    buf_char(out, '}');
}

static void write_answer(struct buf *out, const struct advice *a, int64_t seq)
{
    char at[TIME_TEXT], until[TIME_TEXT];

    buf_printf(out, "{\"seq\":%lld,\"subject\":", (long long)seq);
    json_write_cstr(out, a->subject);
    buf_str(out, ",\"name\":");
    json_write_cstr(out, a->name);
    buf_str(out, ",\"decision\":");
    json_write_cstr(out, a->decision);
    buf_str(out, ",\"title\":");
    json_write_cstr(out, a->title);
    if (a->is_alert) {
        buf_str(out, ",\"alert\":true,\"advice\":");
        json_write_cstr(out, a->to_do);
    }
    buf_printf(out,
               ",\"at\":\"%s\",\"until\":\"%s\",\"value\":%s,\"by_itself\":", time_text(a->at, at),
               time_text(a->until, until), a->true_at == a->at ? "true" : "false");
    write_moment(out, a->true_at);
    buf_printf(out,
               ",\"waivable\":%s,\"kinds\":%d,\"tried\":%d,\"complete\":%s,\"more\":%s,\"sets\":[",
               a->is_waivable ? "true" : "false", a->kinds, a->tried,
               a->is_complete ? "true" : "false", a->has_more ? "true" : "false");
    for (int i = 0; i < a->set_count; i++) {
        buf_str(out, i ? "," : "");
        write_set(out, &a->sets[i]);
    }
    buf_str(out, "],\"missing\":[");
    for (int i = 0; i < a->obstacle_count && a->true_at > a->at; i++) {
        buf_str(out, i ? "," : "");
        write_obstacle(out, &a->obstacles[i]);
    }
    buf_str(out, "]}");
}

enum err_code answer_advise(struct buf *out, struct reader *r, const struct json *params,
                            struct err *err)
{
    struct advice *a = calloc(1, sizeof(*a));
    struct instants when;
    int64_t seq = 0;

    if (!a)
        return err_set(err, ERR_LIMIT, "no memory to look for advice");
    enum err_code rc = read_request(a, &when, r, params, err);
    if (rc == OK)
        rc = reader_need_rules(r, err);
    if (rc == OK)
        rc = reader_world(r, when.max_seq, false, err);
    if (rc == OK)
        rc = reader_check_subject(r, a->subject, a->at, err);
    if (rc == OK)
        rc = feed_last_seq(&seq, r->store, err);
    a->world = r->world;
    a->rules = r->rules;
    a->arena = &r->arena;
    a->note_key = store_note_key(r->store);
    if (rc == OK)
        rc = advise(a, err);
    if (rc == OK)
        write_answer(out, a, seq);
    free(a);
    return rc;
}
