/* answer_feed.c - "changes", "person", "status". */
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/packs.h"
#include "engine/reader.h"
#include "store/derived.h"
#include "store/generation.h"
#include "store/life.h"
#include "store/log.h"
#include "store/personal.h"

#define CHANGES_SCAN    20000 /* looked at for one answer, where few pass a filter */
#define CHANGES_DEFAULT 1000
#define CHANGES_MAX     10000

enum format { FORMAT_JSON, FORMAT_CSV, FORMAT_NDJSON };

struct feed {
    struct buf *out;
    struct reader *r;
    enum format format;
    const char *hub, *subject, *decision; /* NULL: any */
    int64_t last;                         /* the number up to which all were looked at */
    int64_t count, limit;                 /* entries shown, at most */
};

/* The form that every reader of the feed sees. */
static void write_entry(struct buf *out, const char *database_id, const struct change *c)
{
    char time[TIME_TEXT];

    buf_printf(out,
               "{\"specversion\":\"1.0\",\"id\":\"%s/%lld\",\"source\":\"/pathwayd\","
               "\"type\":\"pathway.decision.changed\",\"subject\":",
               database_id, (long long)c->seq);
    json_write_cstr(out, c->subject);
    buf_printf(out, ",\"time\":\"%s\",\"data\":{\"seq\":%lld,\"decision\":",
               time_text(c->recorded, time), (long long)c->seq);
    json_write_cstr(out, c->decision);
    buf_printf(out, ",\"old\":%s,\"new\":%s,\"hub\":", c->old_value, c->new_value);
    json_write_cstr(out, c->hub);
    buf_printf(out, ",\"generation\":%lld,\"cause\":%s}}", (long long)c->generation,
               c->cause ? c->cause : "null");
}

/* CSV: values as `export decisions` shows them. */
static void write_csv(struct buf *out, const struct change *c)
{
    char time[TIME_TEXT];
    static const struct export_options ALL = { 0 };

    buf_printf(out, "%lld,%s,", (long long)c->seq, time_text(c->recorded, time));
    export_row(out, &ALL, c->subject, c->decision, c->old_value, c->old_value[0] == '{');
    out->len--; /* its line end: the new value follows on the same line */
    buf_char(out, ',');
    export_value(out, c->new_value, c->new_value[0] == '{');
    buf_char(out, '\n');
}

static bool passes(const struct feed *f, const struct change *c)
{
    return (!f->hub || (c->hub && strcmp(f->hub, c->hub) == 0)) &&
           (!f->subject || strcmp(f->subject, c->subject) == 0) &&
           (!f->decision || strcmp(f->decision, c->decision) == 0);
}

static enum err_code take_change(const struct change *c, void *arg, struct err *err)
{
    struct feed *f = arg;
    (void)err;

    if (f->count == f->limit)
        return OK;
    f->last = c->seq;
    if (!passes(f, c))
        return OK;
    if (f->format == FORMAT_CSV) {
        write_csv(f->out, c);
    } else {
        if (f->format == FORMAT_JSON && f->count > 0)
            buf_char(f->out, ',');
        write_entry(f->out, life_of(f->r->store, c->seq), c);
        if (f->format == FORMAT_NDJSON)
            buf_char(f->out, '\n');
    }
    f->count++;
    return OK;
}

static enum err_code read_format(struct feed *f, const struct json *params, struct err *err)
{
    const char *format;

    if (params_text(&format, params, "format", err) != OK)
        return err->code;
    if (format && (strcmp(format, "csv") == 0 || strcmp(format, FORMAT_SPREADSHEET) == 0))
        f->format = FORMAT_CSV;
    else if (format && strcmp(format, "ndjson") == 0)
        f->format = FORMAT_NDJSON;
    else if (format && strcmp(format, "json") != 0)
        return err_set(err, ERR_INPUT,
                       "format: found \"%s\", expected json, csv, " FORMAT_SPREADSHEET " or ndjson",
                       format);
    return OK;
}

static enum err_code read_feed_filter(struct feed *f, const struct json *params, struct err *err)
{
    const struct export_options named = { .names = &f->decision, .name_count = 1 };
    enum subject_kind kind;

    if (params_text(&f->hub, params, "hub", err) != OK ||
        params_text(&f->subject, params, "subject", err) != OK ||
        params_text(&f->decision, params, "decision", err) != OK)
        return err->code;
    if (f->subject && subject_parse(&kind, f->subject, strlen(f->subject), err) != OK)
        return err->code;
    if (f->decision && (rules_of_today(f->r, err) != OK || reader_need_rules(f->r, err) != OK ||
                        export_check_names(f->r->rules, &named, err) != OK))
        return err->code;
    return OK;
}

/* A page looks at a bounded part of the feed, and `next` says how far that went; an export
 * at all. */
static enum err_code show_feed(struct feed *f, int64_t scan, struct err *err)
{
    bool is_filtered = f->hub || f->subject || f->decision;
    int64_t end = f->format == FORMAT_JSON && is_filtered ? f->last + scan : INT64_MAX;
    int64_t before;
    enum err_code rc;

    do {
        int64_t step = is_filtered ? CHANGES_DEFAULT : f->limit;
        before = f->last;
        rc = feed_each(f->r->store, before, end - before < step ? end - before : step, take_change,
                       f, err);
    } while (rc == OK && is_filtered && f->last > before && f->count < f->limit && f->last < end);
    return rc;
}

enum err_code answer_changes(struct buf *out, struct reader *r, const struct json *params,
                             struct err *err)
{
    static const char *const KNOWN[] = { "after",   "limit",    "format", "hub",
                                         "subject", "decision", "scan",   NULL };
    struct feed f = { .out = out, .r = r };
    int64_t head = 0, scan;

    if (params_check(params, KNOWN, err) != OK || read_format(&f, params, err) != OK ||
        read_feed_filter(&f, params, err) != OK || feed_last_seq(&head, r->store, err) != OK ||
        params_place(&f.last, r, params, "after", head, err) != OK ||
        params_int(&scan, params, "scan", 1, CHANGES_SCAN, CHANGES_SCAN, err) != OK)
        return err->code;
    /* A page of JSON; a whole export otherwise. */
    int64_t otherwise = f.format == FORMAT_JSON ? CHANGES_DEFAULT : INT64_MAX;
    int64_t max = f.format == FORMAT_JSON ? CHANGES_MAX : INT64_MAX;
    if (params_int(&f.limit, params, "limit", 1, max, otherwise, err) != OK)
        return err->code;
    if (f.format == FORMAT_JSON)
        buf_str(out, "{\"items\":[");
    else if (f.format == FORMAT_CSV)
        buf_str(out, "seq,time,subject,decision,old,new\n");
    enum err_code rc = show_feed(&f, scan, err);
    if (f.format != FORMAT_JSON)
        return rc;
    buf_printf(out, "],\"next\":%lld,\"seq\":%lld,\"place\":", (long long)f.last, (long long)head);
    write_place(out, r, f.last);
    buf_char(out, '}');
    return rc;
}

enum err_code answer_person(struct buf *out, struct reader *r, const struct json *params,
                            struct err *err)
{
    static const char *const KNOWN[] = { "key", NULL };
    const char *key;
    char *details = NULL;

    if (params_check(params, KNOWN, err) != OK || params_text(&key, params, "key", err) != OK)
        return err->code;
    if (!key)
        return err_set(err, ERR_INPUT, "key is missing; expected a person's key");
    if (person_get(&details, r->store, key, err) != OK)
        return err->code;
    buf_str(out, "{\"key\":");
    json_write_cstr(out, key);
    buf_printf(out, ",\"details\":%s}", details);
    free(details);
    return OK;
}

enum err_code answer_status(struct buf *out, struct reader *r, const struct json *params,
                            struct err *err)
{
    static const char *const KNOWN[] = { NULL };
    struct generation g;
    int64_t events = 0, changes = 0, wake = TIME_NEVER, commits = 0;
    struct derived_mark mark = derived_mark(r->store);

    if (params_check(params, KNOWN, err) != OK || generation_last(&g, r->store, err) != OK ||
        log_last_seq(&events, r->store, err) != OK ||
        feed_last_seq(&changes, r->store, err) != OK || wake_first(&wake, r->store, err) != OK ||
        log_last_commit(&commits, r->store, err) != OK)
        return err->code;
    buf_printf(out, "{\"version\":\"%s\",\"database\":", PATHWAY_VERSION);
    json_write_cstr(out, store_id(r->store));
    buf_str(out, ",\"now\":");
    write_moment(out, clock_now(&r->clock));
    buf_printf(out, ",\"events\":%lld,\"changes\":%lld,\"next_wake\":", (long long)events,
               (long long)changes);
    write_moment(out, r->is_told_wake ? r->next_wake : wake);
    buf_printf(out, ",\"commits\":%lld,\"tables_at_commit\":%lld", (long long)commits,
               (long long)mark.commit);
    buf_printf(out, ",\"rules\":{\"generation\":%lld,\"digest\":", (long long)g.number);
    json_write_cstr(out, g.digest);
    buf_str(out, ",\"since\":");
    write_moment(out, g.number ? g.since : TIME_NEVER);
    buf_str(out, "},\"packs\":");
    enum err_code rc = packs_write(out, r->store, err);
    buf_char(out, '}');
    return rc;
}
