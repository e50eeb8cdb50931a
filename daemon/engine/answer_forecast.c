/* answer_forecast.c - "forecast": what will change by some instant with no further events, for a
 * subject, a hub or all. */
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/crowd.h"
#include "engine/forecast.h"
#include "engine/reader.h"
#include "engine/whatif_write.h"
#include "store/derived.h"

struct request {
    const char *subject; /* NULL: all */
    const char *hub;     /* NULL: all */
    struct instants when;
    int64_t until;
    enum row_format format;
};

/* One thread's. */
struct hand {
    struct foreseeing foreseeing;
    struct arena arena;
    struct rulebook *own; /* NULL: the reader's */
};

struct all {
    struct reader *reader;
    struct hand hands[CROWD_MAX];
    int hand_count;
    struct foreseen *items; /* all of them, in order */
    size_t count;
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the forecast");
}

/* ---- what is asked ---- */

static enum err_code read_until(struct request *q, const struct json *params, struct err *err)
{
    const char *until;
    char from[TIME_TEXT];

    if (params_text(&until, params, "until", err) != OK)
        return err->code;
    if (!until)
        return err_set(err, ERR_INPUT,
                       "until is missing; expected how far to look, such as 2027-09-01");
    if (moment_parse(&q->until, until, err) != OK)
        return err_at(err, "until");
    if (q->until <= q->when.at)
        return err_set(err, ERR_INPUT,
                       "until: found %s, which is not after %s, where the forecast begins", until,
                       moment_text(q->when.at, from));
    return OK;
}

static enum err_code read_request(struct request *q, struct reader *r, const struct json *params,
                                  struct err *err)
{
    static const char *const KNOWN[] = { "subject", "hub",    "until", "at", "known",
                                         "rules",   "format", "tag",   NULL };
    enum subject_kind kind;

    if (params_check(params, KNOWN, err) != OK ||
        params_text(&q->subject, params, "subject", err) != OK ||
        params_text(&q->hub, params, "hub", err) != OK ||
        row_format_read(&q->format, params, err) != OK ||
        params_instants(&q->when, r, params, err) != OK || read_until(q, params, err) != OK)
        return err->code;
    if (q->subject && q->hub)
        return err_set(err, ERR_INPUT, "subject and hub are two questions: give one of them");
    return q->subject ? subject_parse(&kind, q->subject, strlen(q->subject), err) : OK;
}

/* ---- looking ahead ---- */

static enum err_code look(void *hand, const char *subject, size_t index, struct err *err)
{
    struct hand *h = hand;

    (void)index;
    return foresee(&h->foreseeing, subject, err);
}

static void tell(size_t done, size_t of, void *arg)
{
    const struct all *all = arg;
    reader_tell(all->reader, (int64_t)done, (int64_t)of);
}

static enum err_code prepare(struct all *all, const struct request *q, int hands, struct err *err)
{
    struct reader *r = all->reader;
    enum err_code rc = OK;

    for (int i = 0; i < hands && rc == OK; i++) {
        struct hand *h = &all->hands[i];
        if (i > 0)
            rc = rulebook_again(&h->own, r->rules, err);
        h->foreseeing = (struct foreseeing){ .world = r->world,
                                             .rules = i > 0 ? h->own : r->rules,
                                             .arena = &h->arena,
                                             .hub = q->hub,
                                             .from = q->when.at,
                                             .until = q->until };
        all->hand_count = i + 1;
    }
    return rc;
}

static enum err_code look_at_all(struct all *all, const struct request *q, struct err *err)
{
    size_t count;
    const char *const *subjects = world_subjects(all->reader->world, &count);

    if (!subjects)
        return no_memory(err);
    enum err_code rc = world_share(all->reader->world, err);
    if (rc == OK)
        rc = prepare(all, q, crowd_size(count), err);
    struct crowd_options o = { .world = all->reader->world,
                               .subjects = subjects,
                               .count = count,
                               .hand_count = all->hand_count,
                               .work = look,
                               .progress = tell,
                               .arg = all };
    for (int i = 0; i < all->hand_count; i++)
        o.hands[i] = &all->hands[i];
    return rc == OK ? crowd_run(&o, err) : rc;
}

/* By time, subject, decision. */
static int by_time(const void *a, const void *b)
{
    const struct foreseen *x = a, *y = b;
    int order = (x->time > y->time) - (x->time < y->time);

    if (order == 0)
        order = strcmp(x->subject, y->subject);
    return order ? order : strcmp(x->decision, y->decision);
}

static enum err_code bring_together(struct all *all, struct err *err)
{
    for (int i = 0; i < all->hand_count; i++)
        all->count += all->hands[i].foreseeing.count;
    all->items = malloc((all->count + 1) * sizeof(*all->items));
    if (!all->items)
        return no_memory(err);
    size_t at = 0;
    for (int i = 0; i < all->hand_count; i++) {
        const struct foreseeing *f = &all->hands[i].foreseeing;
        if (f->count > 0)
            memcpy(all->items + at, f->items, f->count * sizeof(*f->items));
        at += f->count;
    }
    qsort(all->items, all->count, sizeof(*all->items), by_time);
    return OK;
}

static enum err_code check_hub(const struct all *all, const char *hub, struct err *err)
{
    const struct strmap *met[CROWD_MAX];

    for (int i = 0; i < all->hand_count; i++)
        met[i] = &all->hands[i].foreseeing.hubs;
    return hub_check(hub, met, all->hand_count, err);
}

/* ---- the answer ---- */

static void write_csv_value(struct buf *out, const char *value)
{
    export_value(out, value, value[0] == '{');
}

static void write_row(struct buf *out, const struct foreseen *f, enum row_format format)
{
    char time[TIME_TEXT];

    if (format == ROWS_CSV) {
        buf_printf(out, "%s,%s,%s,", time_text(f->time, time), f->subject, f->decision);
        write_csv_value(out, f->old);
        buf_char(out, ',');
        write_csv_value(out, f->now);
        buf_char(out, ',');
        export_text(out, f->why, strlen(f->why));
        buf_char(out, '\n');
        return;
    }
    buf_printf(out, "{\"time\":\"%s\",\"subject\":", time_text(f->time, time));
    json_write_cstr(out, f->subject);
    buf_str(out, ",\"name\":");
    json_write_cstr(out, f->name);
    buf_str(out, ",\"decision\":");
    json_write_cstr(out, f->decision);
    buf_str(out, ",\"title\":");
    json_write_cstr(out, f->title);
    buf_printf(out, ",\"old\":%s,\"new\":%s,\"why\":", f->old, f->now);
    json_write_cstr(out, f->why);
    buf_printf(out, ",\"cause\":%s}", f->cause);
    if (format == ROWS_NDJSON)
        buf_char(out, '\n');
}

static enum err_code write_answer(struct buf *out, const struct all *all, const struct request *q,
                                  struct err *err)
{
    char at[TIME_TEXT], until[TIME_TEXT];
    int64_t seq;

    if (feed_last_seq(&seq, all->reader->store, err) != OK)
        return err->code;
    if (q->format == ROWS_JSON) {
        buf_printf(out, "{\"seq\":%lld,\"at\":\"%s\",\"until\":\"%s\",\"subject\":", (long long)seq,
                   time_text(q->when.at, at), time_text(q->until, until));
        json_write_cstr(out, q->subject);
        buf_str(out, ",\"hub\":");
        json_write_cstr(out, q->hub);
        buf_str(out, ",\"changes\":[");
    } else if (q->format == ROWS_CSV) {
        buf_str(out, "time,subject,decision,old,new,cause\n");
    }
    for (size_t i = 0; i < all->count; i++) {
        if (q->format == ROWS_JSON && i > 0)
            buf_char(out, ',');
        write_row(out, &all->items[i], q->format);
    }
    if (q->format == ROWS_JSON)
        buf_str(out, "]}");
    return OK;
}

static void let_go(struct all *all)
{
    free(all->items);
    for (int i = 0; i < all->hand_count; i++) {
        struct hand *h = &all->hands[i];
        free(h->foreseeing.items);
        strmap_fini(&h->foreseeing.hubs);
        arena_fini(&h->arena);
        rulebook_free(h->own);
    }
}

static void tell_scan(int64_t seq, void *arg)
{
    (void)seq;
    reader_tell(arg, 0, 0);
}

enum err_code answer_forecast(struct buf *out, struct reader *r, const struct json *params,
                              struct err *err)
{
    struct request q = { 0 };
    struct all all = { .reader = r };

    if (read_request(&q, r, params, err) != OK || reader_need_rules(r, err) != OK ||
        reader_world(r, q.when.max_seq, false, err) != OK)
        return err->code;
    enum err_code rc = OK;
    if (q.subject) {
        rc = reader_check_subject(r, q.subject, q.until, err);
        if (rc == OK)
            rc = prepare(&all, &q, 1, err);
        if (rc == OK)
            rc = foresee(&all.hands[0].foreseeing, q.subject, err);
    } else {
        world_tell(r->world, tell_scan, r);
        rc = world_load_all(r->world, err);
        if (rc == OK)
            rc = look_at_all(&all, &q, err);
    }
    if (rc == OK && q.hub)
        rc = check_hub(&all, q.hub, err);
    if (rc == OK)
        rc = bring_together(&all, err);
    if (rc == OK)
        rc = write_answer(out, &all, &q, err);
    let_go(&all);
    return rc;
}
