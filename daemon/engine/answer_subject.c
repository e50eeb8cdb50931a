/* answer_subject.c - "subject": one record, its decisions with since and until, its next wake. */
#include <string.h>

#include "base/civil.h"
#include "base/array.h"
#include "base/text.h"
#include "engine/fold.h"
#include "engine/reader.h"
#include "engine/timeline.h"
#include "store/derived.h"
#include "store/log.h"

struct names {
    struct arena *arena;
    const char **items;
    size_t count, cap;
};

static void add_name(const char *subject, void *arg)
{
    struct names *n = arg;
    const char **grown = array_room_in(n->arena, n->items, n->count, &n->cap, sizeof(*grown));

    if (!grown)
        return; /* the hint is made from those that fit */
    n->items = grown;
    n->items[n->count++] = subject;
}

static enum err_code take_recorded(const struct logged *e, void *arg, struct err *err)
{
    int64_t *first = arg;

    (void)err;
    *first = e->recorded; /* the newest comes first */
    return OK;
}

/* Not known yet at the moment asked about: since when it is. */
static enum err_code known_later(struct reader *r, const char *subject, struct err *err)
{
    int64_t first = TIME_NEVER;
    char recorded[TIME_TEXT];

    if (log_scan_subject(r->store, subject, INT64_MAX, take_recorded, &first, err) != OK)
        return err->code;
    return err_set(err, ERR_ABSENT,
                   "%s: nothing was recorded about it by then; its first event was recorded on %s",
                   subject, moment_text(first, recorded));
}

static enum err_code unknown_subject(struct reader *r, const char *subject, struct err *err)
{
    struct names names = { .arena = &r->arena };
    char hint[160];

    if (log_subjects(r->store, add_name, &names, err) != OK)
        return err->code;
    for (size_t i = 0; i < names.count; i++)
        if (strcmp(names.items[i], subject) == 0)
            return known_later(r, subject, err);
    if (strncmp(subject, "hub/", 4) == 0)
        return err_set(
            err, ERR_ABSENT,
            "%s: no event is about the hub itself. Ask about what belongs to it: show it, "
            "or ask lists, forecasts and what-ifs with hub %s",
            subject, subject_code(subject));
    return err_set(err, ERR_ABSENT, "unknown subject %s: no event touches it%s", subject,
                   text_hint(hint, sizeof(hint), subject, names.items, names.count));
}

enum err_code reader_check_subject(struct reader *r, const char *subject, int64_t at,
                                   struct err *err)
{
    const struct entry *const *touching;
    size_t count;
    char first[TIME_TEXT], asked[TIME_TEXT];

    if (world_touching(&touching, &count, r->world, subject, err) != OK)
        return err->code;
    if (count == 0)
        return unknown_subject(r, subject, err);
    if (touching[0]->key.time > at)
        return err_set(err, ERR_ABSENT,
                       "%s: nothing had happened to it by %s; its first event is of %s", subject,
                       moment_text(at, asked), moment_text(touching[0]->key.time, first));
    return OK;
}

static void write_spans(struct buf *out, const struct ruleset *rs, const struct span *spans,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_str(out, i ? "," : "");
        json_write_cstr(out, spans[i].name);
        buf_printf(out, ":{\"value\":%s,\"since\":", spans[i].value);
        write_moment(out, spans[i].since);
        buf_str(out, ",\"until\":");
        write_moment(out, spans[i].until);
        const char *overlay = ruleset_overlay_on(rs, spans[i].name);
        if (overlay) /* what a hub adds or changes is always shown */
            buf_printf(out, ",\"overlay\":\"%s\"", overlay);
        buf_str(out, spans[i].is_alert ? ",\"alert\":true}" : "}");
    }
}

void write_faults(struct buf *out, const struct fold *f)
{
    const char *comma = "";

    if (!f->faults)
        return;
    buf_str(out, ",\"faults\":[");
    for (const struct fault *fault = f->faults; fault; fault = fault->next, comma = ",") {
        buf_printf(out, "%s{\"event_seq\":%lld,\"move\":", comma, (long long)fault->seq);
        json_write_cstr(out, fault->move);
        buf_str(out, ",\"error\":");
        json_write_cstr(out, fault->message);
        buf_str(out, fault->added ? ",\"only_overlay\":true}" : "}");
    }
    buf_char(out, ']');
}

struct earliest {
    int64_t wake;
};

static void take_wake(const struct judged *j, void *arg)
{
    struct earliest *e = arg;
    if (j->wake < e->wake)
        e->wake = j->wake;
}

/* An event that is logged but lies ahead of the clock comes by itself, as an awaited moment
 * does. */
static enum err_code take_ahead(struct earliest *next, struct reader *r, const char *subject,
                                int64_t at, struct err *err)
{
    const struct entry *const *touching;
    size_t count;
    int64_t now = clock_now(&r->clock);

    if (world_touching(&touching, &count, r->world, subject, err) != OK)
        return err->code;
    for (size_t i = 0; i < count; i++) { /* in event order: the first is the next */
        int64_t time = touching[i]->key.time;
        if (time > now && time > at) {
            next->wake = time < next->wake ? time : next->wake;
            break;
        }
    }
    return OK;
}

/* The moments that were asked about; without them the answer changes with the subject alone, and
 * not with every second. */
static void write_asked(struct buf *out, const struct instants *when)
{
    if (when->has_at) {
        buf_str(out, ",\"at\":");
        write_moment(out, when->at);
    }
    if (when->has_known) {
        buf_str(out, ",\"known\":");
        write_moment(out, when->known);
    }
}

/* A hub is known by what belongs to it too. */
struct belonging {
    struct buf text;    /* more members, of hub_belonging(); "" of other kinds */
    bool is_event_less; /* then it has no history, and nothing is decided of it */
};

static enum err_code find_belonging(struct belonging *b, struct reader *r, const char *subject,
                                    const struct json *params, const struct instants *when,
                                    struct err *err)
{
    const struct entry *const *touching;
    size_t count;

    if (strncmp(subject, "hub/", 4) != 0)
        return reader_check_subject(r, subject, when->at, err);
    if (world_touching(&touching, &count, r->world, subject, err) != OK)
        return err->code;
    b->is_event_less = count == 0 || touching[0]->key.time > when->at;
    return hub_belonging(&b->text, r, params, subject_code(subject), !b->is_event_less, err);
}

static enum err_code write_subject(struct buf *out, struct reader *r, const char *subject,
                                   const struct instants *when, const struct belonging *b,
                                   struct err *err)
{
    struct fold f = { 0 };
    struct earliest next = { TIME_NEVER };
    const struct span *spans = NULL;
    size_t count = 0;
    int64_t seq;

    enum err_code rc = feed_last_seq(&seq, r->store, err);
    if (rc == OK)
        rc = fold_subject(&f, r->rules, r->world, subject, when->at, err);
    if (rc == OK) {
        buf_printf(out, "{\"seq\":%lld,\"subject\":", (long long)seq);
        json_write_cstr(out, subject);
        buf_str(out, strncmp(subject, "school/", 7) == 0 ? ",\"urn\":" : ",\"code\":");
        json_write_cstr(out, subject_code(subject));
        write_asked(out, when);
        buf_str(out, ",\"facts\":");
        rc = record_write_facts(out, f.record, err);
    }
    if (rc == OK && !b->is_event_less)
        rc = timeline_spans(&spans, &count, &r->arena, r->world, r->rules, subject, when->at, err);
    if (rc == OK) {
        buf_str(out, ",\"decisions\":{");
        write_spans(out, record_ruleset(f.record), spans, count);
        buf_str(out, "},\"overlay\":");
        ruleset_write_overlay(out, record_ruleset(f.record), when->at);
        if (!b->is_event_less)
            rc = record_judge(f.record, when->at, take_wake, &next, err);
    }
    if (rc == OK)
        rc = take_ahead(&next, r, subject, when->at, err);
    if (rc == OK) {
        buf_str(out, ",\"wake\":");
        write_moment(out, fold_next(&f) < next.wake ? fold_next(&f) : next.wake);
        write_faults(out, &f);
        buf_add(out, b->text.data, b->text.len);
        out->failed = out->failed || b->text.failed;
        buf_str(out, "}");
    }
    fold_fini(&f);
    return rc;
}

enum err_code params_subject(const char **out, const struct json *params, struct err *err)
{
    enum subject_kind kind;

    if (params_text(out, params, "subject", err) != OK)
        return err->code;
    if (!*out)
        return err_set(err, ERR_INPUT, "subject is missing; expected one such as school/100001");
    return subject_parse(&kind, *out, strlen(*out), err);
}

enum err_code answer_subject(struct buf *out, struct reader *r, const struct json *params,
                             struct err *err)
{
    static const char *const KNOWN[] = { "subject", "at", "known", "rules", NULL };
    const char *subject;
    struct instants when;
    struct belonging b = { 0 };

    if (params_check(params, KNOWN, err) != OK || params_subject(&subject, params, err) != OK ||
        params_instants(&when, r, params, err) != OK ||
        reader_world(r, when.max_seq, false, err) != OK)
        return err->code;
    enum err_code rc = find_belonging(&b, r, subject, params, &when, err);
    if (rc == OK)
        rc = write_subject(out, r, subject, &when, &b, err);
    buf_fini(&b.text);
    return rc;
}
