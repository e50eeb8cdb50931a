/* answer_summary.c - "summary": how many subjects have which values, in all and hub by hub. */
#include <stdlib.h>
#include <string.h>

#include "engine/fold.h"
#include "engine/publish.h"
#include "engine/reader.h"
#include "engine/tally.h"
#include "store/derived.h"

struct summary {
    struct reader *r;
    const char *hub;     /* only of this one; NULL: all */
    struct tally all[3]; /* by enum subject_kind */
    struct strmap hubs;  /* code to struct tally: of its schools */
    int64_t at;
    struct tally *own; /* of the hub of the subject under way; NULL: none */
    enum subject_kind kind;
    struct strmap waiting; /* who is counted as it was */
};

static struct tally *tally_of_hub(struct summary *s, const char *hub)
{
    struct strmap_item *item = strmap_find(&s->hubs, hub, strlen(hub));

    if (item)
        return item->as.ptr;
    const char *key = arena_strdup(&s->r->arena, hub);
    struct tally *t = arena_alloc(&s->r->arena, sizeof(*t));
    item = key && t ? strmap_add(&s->hubs, key, strlen(key), NULL) : NULL;
    if (!item) {
        s->all[SUBJECT_SCHOOL].failed = true;
        return NULL;
    }
    *t = (struct tally){ .arena = &s->r->arena };
    item->as.ptr = t;
    return t;
}

/* False: it is not asked about. */
static bool begin_subject(struct summary *s, const char *hub)
{
    if (s->hub && (!hub || strcmp(s->hub, hub) != 0))
        return false;
    tally_subject(&s->all[s->kind]);
    s->own = s->kind == SUBJECT_SCHOOL && hub ? tally_of_hub(s, hub) : NULL;
    if (s->own)
        tally_subject(s->own);
    return true;
}

static void add(struct summary *s, const char *name, size_t name_len, const char *value, size_t len)
{
    tally_add(&s->all[s->kind], name, name_len, value, len);
    if (s->own)
        tally_add(s->own, name, name_len, value, len);
}

/* ---- now, from the tables ---- */

static enum err_code take_decision(struct slice name, struct slice value, void *arg,
                                   struct err *err)
{
    (void)err;
    add(arg, name.at, name.len, value.at, value.len);
    return OK;
}

static enum err_code take_row(const struct list_row *row, void *arg, struct err *err)
{
    struct summary *s = arg;

    if (!begin_subject(s, row->hub))
        return OK;
    return decisions_each(row->names, row->values, take_decision, s, err);
}

static enum err_code summarise_tables(struct summary *s, struct err *err)
{
    enum err_code rc = OK;
    bool more;

    for (int kind = 0; kind < 3 && rc == OK; kind++) {
        s->kind = (enum subject_kind)kind;
        struct list_query all = { .kind = subject_kind_name(s->kind), .limit = INT32_MAX - 1 };
        rc = list_subjects(&more, s->r->store, &all, take_row, s, err);
    }
    return rc;
}

/* ---- another instant, from the log ---- */

static void take_judged(const struct judged *j, void *arg)
{
    struct summary *s = arg;
    const char *value = j->is_error ? "{}" : j->value;

    add(s, j->name, strlen(j->name), value, strlen(value));
}

static enum err_code judge_one(struct summary *s, const char *subject, struct err *err)
{
    struct fold f = { 0 };
    struct buf hub = { 0 };

    enum err_code rc = fold_subject(&f, s->r->rules, s->r->world, subject, s->at, err);
    if (rc == OK) {
        bool has_hub = record_text_fact(&hub, f.record, "hub");
        if (begin_subject(s, has_hub ? buf_cstr(&hub) : NULL))
            rc = record_judge(f.record, s->at, take_judged, s, err);
    }
    buf_fini(&hub);
    fold_fini(&f);
    return rc;
}

static enum err_code summarise_log(struct summary *s, const struct instants *when, struct err *err)
{
    const struct entry *const *touching;
    size_t count, events;

    if (reader_world(s->r, when->max_seq, true, err) != OK)
        return err->code;
    const char *const *subjects = world_subjects(s->r->world, &count);
    for (size_t i = 0; subjects && i < count; i++) {
        if (subject_parse(&s->kind, subjects[i], strlen(subjects[i]), err) != OK ||
            world_touching(&touching, &events, s->r->world, subjects[i], err) != OK)
            return err->code;
        if (events > 0 && touching[0]->key.time <= when->at && judge_one(s, subjects[i], err) != OK)
            return err->code;
    }
    return subjects ? OK : err_set(err, ERR_LIMIT, "no memory for the summary");
}

/* ---- the answer ---- */

static int by_code(const void *a, const void *b)
{
    return strcmp(((const struct strmap_item *)a)->key, ((const struct strmap_item *)b)->key);
}

static void write_tally(struct buf *out, const char *name, const struct tally *t)
{
    buf_printf(out, ",\"%s\":{\"count\":%lld,\"decisions\":", name, (long long)t->subjects);
    tally_write(out, t);
    buf_char(out, '}');
}

static void write_hubs(struct buf *out, struct summary *s)
{
    struct strmap_item *items = calloc(s->hubs.count + 1u, sizeof(*items));

    out->failed = out->failed || !items;
    if (items && s->hubs.count > 0)
        memcpy(items, s->hubs.items, s->hubs.count * sizeof(*items));
    if (items)
        qsort(items, s->hubs.count, sizeof(*items), by_code);
    buf_str(out, ",\"hubs\":[");
    for (uint32_t i = 0; items && i < s->hubs.count; i++) {
        buf_str(out, i ? ",{\"hub\":" : "{\"hub\":");
        json_write_cstr(out, items[i].key);
        write_tally(out, "schools", items[i].as.ptr);
        buf_char(out, '}');
    }
    buf_char(out, ']');
    free(items);
}

static void write_summary(struct buf *out, struct summary *s, int64_t seq, bool is_current)
{
    buf_printf(out, "{\"seq\":%lld,\"at\":", (long long)seq);
    write_moment(out, s->at);
    buf_str(out, ",\"hub\":");
    json_write_cstr(out, s->hub);
    if (is_current && s->waiting.count > 0)
        buf_printf(out, ",\"waiting\":%u", s->waiting.count);
    write_tally(out, "schools", &s->all[SUBJECT_SCHOOL]);
    write_tally(out, "groups", &s->all[SUBJECT_GROUP]);
    write_hubs(out, s);
    buf_char(out, '}');
}

static void summary_fini(struct summary *s)
{
    for (int i = 0; i < 3; i++)
        tally_fini(&s->all[i]);
    for (uint32_t i = 0; i < s->hubs.count; i++)
        if (s->hubs.items[i].as.ptr)
            tally_fini(s->hubs.items[i].as.ptr);
    strmap_fini(&s->hubs);
    strmap_fini(&s->waiting);
}

enum err_code answer_summary(struct buf *out, struct reader *r, const struct json *params,
                             struct err *err)
{
    static const char *const KNOWN[] = { "hub", "at", "known", "rules", NULL };
    struct summary s = { .r = r };
    struct instants when;
    bool is_current = false;
    int64_t seq = 0;

    for (int i = 0; i < 3; i++)
        s.all[i].arena = &r->arena;
    if (params_check(params, KNOWN, err) != OK || params_text(&s.hub, params, "hub", err) != OK ||
        params_instants(&when, r, params, err) != OK || reader_need_rules(r, err) != OK ||
        feed_last_seq(&seq, r->store, err) != OK)
        return err->code;
    s.at = when.at;
    enum err_code rc =
        when.is_now ? reader_tables_are_current(&is_current, &s.waiting, r, when.at, err) : OK;
    if (rc == OK && is_current)
        seq = derived_mark(r->store).feed;
    if (rc == OK)
        rc = is_current ? summarise_tables(&s, err) : summarise_log(&s, &when, err);
    if (rc == OK)
        write_summary(out, &s, seq, is_current);
    summary_fini(&s);
    return rc;
}
