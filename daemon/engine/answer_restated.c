/* answer_restated.c - "restated": which answers about a moment have changed between two known
 * dates, of one subject or of all. The log is read once; a subject whose fold and rules are the
 * same is not judged at all. */
#include <string.h>

#include "base/civil.h"
#include "base/text.h"
#include "engine/crowd.h"
#include "engine/reader.h"
#include "engine/restate.h"
#include "store/derived.h"
#include "store/log.h"

enum format { AS_JSON, AS_CSV, AS_NDJSON };

struct asked {
    struct reader *r;
    const char *subject; /* NULL: all */
    int64_t from, to;
    int64_t from_seq, to_seq;
    int64_t generations[2]; /* in force at each; 0: none had judged */
    enum format format;
    struct restate restate;
    struct rulebook *owned[2];
    const char *const *subjects;
    size_t count;
    struct fold_items *before; /* of each subject */
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for what has changed");
}

/* ---- what is asked ---- */

static enum err_code read_format(struct asked *q, const struct json *params, struct err *err)
{
    static const char *const NAMES[] = { "json", "csv", "ndjson" };
    const char *format;
    char hint[80];

    if (params_text(&format, params, "format", err) != OK)
        return err->code;
    for (size_t i = 0; format && i < 3; i++) {
        q->format = (enum format)i;
        if (strcmp(NAMES[i], format) == 0)
            return OK;
    }
    return !format ? OK
                   : err_set(err, ERR_INPUT, "format: found \"%s\", expected json, csv or ndjson%s",
                             format, text_hint(hint, sizeof(hint), format, NAMES, 3));
}

static enum err_code read_moment(int64_t *out, bool *given, const struct json *params,
                                 const char *name, struct err *err)
{
    const char *text;

    if (params_text(&text, params, name, err) != OK)
        return err->code;
    *given = text != NULL;
    return text && moment_parse(out, text, err) != OK ? err_at(err, "%s", name) : OK;
}

static enum err_code read_params(struct asked *q, const struct json *params, struct err *err)
{
    static const char *const KNOWN[] = { "from",  "to",     "at",  "subject", "hub",
                                         "rules", "format", "tag", NULL };
    bool has_from, has_to, has_at, is_current;
    const char *rules;
    char from[TIME_TEXT], to[TIME_TEXT];
    enum subject_kind kind;

    q->to = clock_now(&q->r->clock);
    if (params_check(params, KNOWN, err) != OK || read_format(q, params, err) != OK ||
        read_moment(&q->from, &has_from, params, "from", err) != OK ||
        read_moment(&q->to, &has_to, params, "to", err) != OK ||
        read_moment(&q->restate.at, &has_at, params, "at", err) != OK ||
        params_text(&rules, params, "rules", err) != OK ||
        params_text(&q->subject, params, "subject", err) != OK ||
        params_text(&q->restate.hub, params, "hub", err) != OK)
        return err->code;
    if (q->subject && q->restate.hub)
        return err_set(err, ERR_INPUT, "subject and hub are two questions: give one of them");
    if (!has_from)
        return err_set(err, ERR_INPUT,
                       "from is missing; expected the first known date, such as 2026-03-01");
    if (q->from > q->to)
        return err_set(err, ERR_INPUT,
                       "from: found %s, which is after %s, the second known date (`to`)",
                       moment_text(q->from, from), moment_text(q->to, to));
    if (rules && strcmp(rules, "current") != 0)
        return err_set(err, ERR_INPUT, "rules: found \"%s\", expected current", rules);
    if (q->subject && subject_parse(&kind, q->subject, strlen(q->subject), err) != OK)
        return err->code;
    if (!has_at)
        q->restate.at = q->from; /* what was said then about that day */
    is_current = rules != NULL;
    const int64_t known[2] = { q->from, q->to };
    struct rulebook **const books[2] = { &q->restate.first, &q->restate.then };
    for (int i = 0; i < 2; i++) {
        q->r->generation = 0;
        enum err_code rc = is_current
                               ? rules_of_today(q->r, err)
                               : rulebook_known_at(books[i], &q->owned[i], q->r, known[i], err);
        if (rc != OK)
            return rc;
        if (is_current)
            *books[i] = q->r->rules;
        q->generations[i] = q->r->generation;
    }
    if (q->generations[0] == q->generations[1])
        q->restate.first = q->restate.then;
    return OK;
}

/* ---- the two worlds ---- */

static void tell_scan(int64_t seq, void *arg)
{
    (void)seq;
    reader_tell(arg, 0, 0);
}

static enum err_code open_world(struct asked *q, struct err *err)
{
    enum err_code rc = log_seq_known_at(&q->from_seq, q->r->store, q->from, err);
    if (rc == OK)
        rc = log_seq_known_at(&q->to_seq, q->r->store, q->to, err);
    if (rc == OK)
        rc = reader_world(q->r, q->to_seq, false, err);
    if (rc == OK && !q->subject) {
        world_tell(q->r->world, tell_scan, q->r);
        rc = world_load_all(q->r->world, err);
    }
    if (rc == OK && q->subject)
        rc = reader_check_subject(q->r, q->subject, q->restate.at, err);
    if (rc != OK)
        return rc;
    q->restate.world = q->r->world;
    q->restate.first_seq = q->from_seq;
    if (q->subject) {
        q->subjects = &q->subject;
        q->count = 1;
    } else if (!(q->subjects = world_subjects(q->r->world, &q->count))) {
        return no_memory(err);
    }
    q->before = arena_alloc(&q->r->arena, (q->count + 1) * sizeof(*q->before));
    return q->before ? OK : no_memory(err);
}

/* Each fold as it was known first; then all of the world again. */
static enum err_code look_back(struct asked *q, struct err *err)
{
    enum err_code rc = OK;

    world_leave_out(q->r->world, NULL, 0, q->from_seq);
    for (size_t i = 0; rc == OK && i < q->count; i++)
        rc = world_fold_items(&q->before[i].items, &q->before[i].count, q->r->world, q->subjects[i],
                              q->restate.at, err);
    world_leave_out(q->r->world, NULL, 0, INT64_MAX);
    return rc;
}

/* ---- the answer ---- */

static void write_events(struct buf *out, struct asked *q, const struct restated *d,
                         const char *subject)
{
    buf_str(out, "\"events\":[");
    for (size_t i = 0; i < d->event_count; i++) {
        buf_str(out, i ? "," : "");
        tell_event(out, q->r, d->events[i], &subject, 1);
    }
    buf_char(out, ']');
}

static void write_json(struct buf *out, struct asked *q, const struct restated *d,
                       const char *subject)
{
    buf_str(out, "{\"subject\":");
    json_write_cstr(out, subject);
    buf_str(out, ",\"name\":");
    json_write_cstr(out, d->name);
    buf_str(out, ",\"decision\":");
    json_write_cstr(out, d->decision);
    buf_str(out, ",\"title\":");
    json_write_cstr(out, d->title);
    buf_printf(out, ",\"old\":%s,\"new\":%s,\"cause\":{", d->old ? d->old : "null",
               d->new ? d->new : "null");
    write_events(out, q, d, subject);
    if (d->by_rules)
        buf_printf(out, ",\"generation\":%lld}}", (long long)q->generations[1]);
    else
        buf_str(out, ",\"generation\":null}}");
}

static void write_csv(struct buf *out, struct asked *q, const struct restated *d,
                      const char *subject)
{
    static const char ERROR[] = "{\"error\":";
    const char *const values[2] = { d->old, d->new };
    struct buf cause = { 0 };

    buf_printf(out, "%s,%s", subject, d->decision);
    for (int i = 0; i < 2; i++) {
        bool is_error = values[i] && strncmp(values[i], ERROR, sizeof(ERROR) - 1) == 0;
        buf_char(out, ',');
        export_value(out, values[i] ? values[i] : "null", is_error);
    }
    for (size_t i = 0; i < d->event_count; i++)
        buf_printf(&cause, "%s%s %s", cause.len ? "; " : "", d->events[i]->key.source,
                   d->events[i]->key.id);
    if (d->by_rules)
        buf_printf(&cause, "%sgeneration %lld", cause.len ? "; " : "",
                   (long long)q->generations[1]);
    buf_char(out, ',');
    export_text(out, buf_cstr(&cause), cause.len);
    buf_char(out, '\n');
    buf_fini(&cause);
}

static void write_generation(struct buf *out, int64_t number)
{
    if (number > 0)
        buf_printf(out, "%lld", (long long)number);
    else
        buf_str(out, "null");
}

static enum err_code write_heading(struct buf *out, const struct asked *q, struct err *err)
{
    int64_t seq;

    if (q->format == AS_CSV)
        buf_str(out, "subject,decision,old,new,cause\n");
    if (q->format != AS_JSON)
        return OK;
    if (feed_last_seq(&seq, q->r->store, err) != OK)
        return err->code;
    buf_printf(out, "{\"seq\":%lld,\"at\":", (long long)seq);
    write_moment(out, q->restate.at);
    buf_str(out, ",\"from\":{\"known\":");
    write_moment(out, q->from);
    buf_str(out, ",\"generation\":");
    write_generation(out, q->generations[0]);
    buf_str(out, "},\"to\":{\"known\":");
    write_moment(out, q->to);
    buf_str(out, ",\"generation\":");
    write_generation(out, q->generations[1]);
    buf_str(out, "},\"items\":[");
    return OK;
}

static enum err_code write_subject(struct buf *out, struct asked *q, size_t index, size_t *rows,
                                   struct err *err)
{
    struct arena arena = { 0 };
    const struct entry *const *touching;
    const struct restated *items;
    size_t count;

    if (world_touching(&touching, &count, q->r->world, q->subjects[index], err) != OK)
        return err->code;
    if (count == 0 || touching[0]->key.time > q->restate.at)
        return OK; /* nothing has happened to it by then: there is nothing to answer */
    enum err_code rc = restate_subject(&items, &count, &arena, &q->restate, q->subjects[index],
                                       &q->before[index], err);
    for (size_t i = 0; rc == OK && i < count; i++) {
        if (q->format == AS_CSV) {
            write_csv(out, q, &items[i], q->subjects[index]);
        } else {
            buf_str(out, q->format == AS_JSON && *rows > 0 ? "," : "");
            write_json(out, q, &items[i], q->subjects[index]);
            buf_str(out, q->format == AS_NDJSON ? "\n" : "");
        }
        ++*rows;
    }
    arena_fini(&arena);
    return rc;
}

struct hubs_met {
    struct strmap codes;
    struct arena *arena;
};

static enum err_code take_hub(const struct list_row *row, void *arg, struct err *err)
{
    struct hubs_met *hubs = arg;

    if (!row->hub || strmap_find(&hubs->codes, row->hub, strlen(row->hub)))
        return OK;
    const char *code = arena_strdup(hubs->arena, row->hub);
    return code && strmap_add(&hubs->codes, code, strlen(code), NULL) ? OK : no_memory(err);
}

/* Where nothing has changed, the hub may be a slip. */
static enum err_code check_hub(struct asked *q, struct err *err)
{
    static const char *const KINDS[] = { "school", "group" };
    struct hubs_met hubs = { .arena = &q->r->arena };
    const struct strmap *met[1] = { &hubs.codes };
    enum err_code rc = OK;
    bool more;

    for (int i = 0; i < 2 && rc == OK; i++) {
        struct list_query all = { .kind = KINDS[i], .limit = INT32_MAX - 1 };
        rc = list_subjects(&more, q->r->store, &all, take_hub, &hubs, err);
    }
    if (rc == OK)
        rc = hub_check(q->restate.hub, met, 1, err);
    strmap_fini(&hubs.codes);
    return rc;
}

static enum err_code write_answer(struct buf *out, struct asked *q, struct err *err)
{
    size_t rows = 0;

    enum err_code rc = write_heading(out, q, err);
    for (size_t i = 0; rc == OK && i < q->count; i++) {
        rc = write_subject(out, q, i, &rows, err);
        reader_tell(q->r, (int64_t)i + 1, (int64_t)q->count);
    }
    if (rc == OK && rows == 0 && q->restate.hub)
        rc = check_hub(q, err);
    if (q->format == AS_JSON)
        buf_printf(out, "],\"count\":%zu}", rows);
    return rc;
}

enum err_code answer_restated(struct buf *out, struct reader *r, const struct json *params,
                              struct err *err)
{
    struct asked q = { .r = r };

    enum err_code rc = read_params(&q, params, err);
    if (rc == OK) {
        r->rules = q.restate.then;
        rc = open_world(&q, err);
    }
    if (rc == OK)
        rc = look_back(&q, err);
    if (rc == OK)
        rc = write_answer(out, &q, err);
    rulebook_free(q.owned[0]);
    rulebook_free(q.owned[1]);
    return rc;
}
