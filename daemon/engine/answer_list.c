/* answer_list.c - "list": a page of subjects with their decisions; from the tables when it is about
 * now, from one scan of the log when it is about another instant. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/fold.h"
#include "engine/difference.h"
#include "engine/list_values.h"
#include "engine/pieces.h"
#include "engine/reader.h"
#include "engine/waiting.h"
#include "store/derived.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     1000
#define FILTERS_MAX   32
#define AT_A_TIME     512 /* subjects that are judged before it is seen whether the page is full */

struct list {
    struct buf *out;
    struct reader *r;
    struct list_query query;
    struct list_filter filters[FILTERS_MAX];
    int count;             /* rows written */
    const char *last;      /* subject of the last row */
    struct strmap waiting; /* who is shown as it was */
};

/* ---- what is asked for ---- */

/* A value as it stands in a URL: true, 5 and null are themselves, all else is text. */
static const char *value_text(struct arena *arena, const char *value)
{
    struct buf b = { 0 };
    char *end;

    bool is_number = value[0] >= '0' && value[0] <= '9' && strlen(value) < 6 &&
                     (strtoll(value, &end, 10), *end == '\0');
    if (is_number || strcmp(value, "true") == 0 || strcmp(value, "false") == 0 ||
        strcmp(value, "null") == 0)
        return arena_strdup(arena, value);
    json_write_cstr(&b, value[0] ? value : NULL);
    const char *text = b.failed ? NULL : arena_strdup(arena, buf_cstr(&b));
    buf_fini(&b);
    return text;
}

static enum err_code read_filters(struct list *l, const struct json *params, struct err *err)
{
    const struct json *where = json_get(params, "where");
    int n = 0;

    if (where && where->type != JSON_OBJECT)
        return err_set(err, ERR_INPUT,
                       "where: found %s, expected an object of decisions and values",
                       json_type_name(where));
    for (const struct json *f = where ? where->as.first : NULL; f; f = f->next) {
        struct export_options named = { .names = &f->name, .name_count = 1 };
        if (n == FILTERS_MAX)
            return err_set(err, ERR_LIMIT, "more than %d filters", FILTERS_MAX);
        if (f->type != JSON_STRING)
            return err_set(err, ERR_INPUT, "where.%s: found %s, expected a text", f->name,
                           json_type_name(f));
        if (reader_need_rules(l->r, err) != OK ||
            export_check_names(l->r->rules, &named, err) != OK)
            return err->code;
        l->filters[n].decision = f->name;
        l->filters[n].value = value_text(&l->r->arena, f->as.string);
        if (!l->filters[n].value)
            return err_set(err, ERR_LIMIT, "no memory for the filters");
        if (list_value_check(l->r->rules, &l->filters[n++], f->as.string, err) != OK)
            return err->code;
    }
    l->query.filters = l->filters;
    l->query.filter_count = n;
    return OK;
}

static enum err_code read_query(struct list *l, const struct json *params, struct err *err)
{
    static const char *const KNOWN[] = { "kind",  "hub",   "q",     "where", "at",
                                         "known", "rules", "limit", "after", NULL };
    enum subject_kind kind;
    int64_t limit;

    if (params_check(params, KNOWN, err) != OK ||
        params_text(&l->query.kind, params, "kind", err) != OK ||
        params_text(&l->query.hub, params, "hub", err) != OK ||
        params_text(&l->query.q, params, "q", err) != OK ||
        params_text(&l->query.after, params, "after", err) != OK ||
        params_int(&limit, params, "limit", 1, LIMIT_MAX, LIMIT_DEFAULT, err) != OK ||
        read_filters(l, params, err) != OK)
        return err->code;
    l->query.limit = (int)limit;
    if (!l->query.kind)
        l->query.kind = "school";
    if (!subject_kind_parse(&kind, l->query.kind))
        return err_set(err, ERR_INPUT, "kind: found \"%s\", expected school, group or hub",
                       l->query.kind);
    if (l->query.after && subject_parse(&kind, l->query.after, strlen(l->query.after), err) != OK)
        return err_at(err, "after");
    return OK;
}

/* ---- rows ---- */

static void begin_row(struct buf *out, const struct list *l, const char *subject, const char *name,
                      const char *hub)
{
    buf_str(out, "{\"subject\":");
    json_write_cstr(out, subject);
    buf_str(out, strcmp(l->query.kind, "school") == 0 ? ",\"urn\":" : ",\"code\":");
    json_write_cstr(out, subject_code(subject));
    buf_str(out, ",\"name\":");
    json_write_cstr(out, name);
    buf_str(out, ",\"hub\":");
    json_write_cstr(out, hub);
    buf_str(out, ",\"decisions\":{");
}

static void write_decision(struct buf *out, const char **comma, const char *name, const char *value)
{
    buf_str(out, *comma);
    *comma = ",";
    json_write_cstr(out, name);
    buf_char(out, ':');
    buf_str(out, value);
}

/* ---- now, from the tables ---- */

struct row {
    struct list *list;
    const char *comma;
};

static enum err_code take_decision(struct slice name, struct slice value, void *arg,
                                   struct err *err)
{
    struct row *row = arg;
    (void)err;
    buf_str(row->list->out, row->comma);
    row->comma = ",";
    json_write_string(row->list->out, name.at, name.len);
    buf_char(row->list->out, ':');
    buf_add(row->list->out, value.at, value.len);
    return OK;
}

static enum err_code take_row(const struct list_row *row, void *arg, struct err *err)
{
    struct list *l = arg;
    struct row decisions = { l, "" };

    buf_str(l->out, l->count++ ? "," : "");
    begin_row(l->out, l, row->subject, row->name, row->hub);
    l->last = arena_strdup(&l->r->arena, row->subject);
    enum err_code rc = decisions_each(row->names, row->values, take_decision, &decisions, err);
    bool waits = strmap_find(&l->waiting, row->subject, strlen(row->subject));
    buf_str(l->out, waits ? "},\"waits\":true}" : "}}");
    return rc;
}

/* ---- another instant, from the log ---- */

struct judged_row {
    struct arena *arena;
    struct strmap values;
    bool failed;
};

static void take_judged(const struct judged *j, void *arg)
{
    struct judged_row *row = arg;
    struct strmap_item *item = strmap_add(&row->values, j->name, strlen(j->name), NULL);
    const char *value = decision_text(row->arena, j);

    row->failed = row->failed || !item || !value;
    if (item)
        item->as.ptr = (void *)(uintptr_t)value;
}

static bool passes(const struct list *l, const struct judged_row *row)
{
    for (int i = 0; i < l->query.filter_count; i++) {
        const struct list_filter *f = &l->query.filters[i];
        const struct strmap_item *item =
            strmap_find(&row->values, f->decision, strlen(f->decision));
        if (!item || strcmp(item->as.ptr, f->value) != 0)
            return false;
    }
    return true;
}

/* Also by a URN that it had before: of a school that it took over. */
static bool is_former(const struct list *l, const struct fold *f)
{
    for (size_t i = 0; i < f->count; i++)
        for (int k = 0; k < f->items[i].as_count; k++)
            if (strcasestr(subject_code(f->items[i].as[k]), l->query.q))
                return true;
    return false;
}

static bool is_found(const struct list *l, const struct fold *f, const char *name, const char *hub)
{
    if (l->query.hub && strcmp(hub, l->query.hub) != 0)
        return false;
    return !l->query.q || strcasestr(name, l->query.q) ||
           strcasestr(subject_code(f->subject), l->query.q) || is_former(l, f);
}

struct past {
    const struct list *list;
    const struct instants *when;
};

static void write_past(struct writer *w, const struct list *l, const struct fold *f,
                       const struct judged_row *row)
{
    struct buf name = { 0 }, hub = { 0 };
    const char *comma = "";
    bool has_name = record_text_fact(&name, f->record, "name");
    bool has_hub = record_text_fact(&hub, f->record, "hub");

    if (passes(l, row) && is_found(l, f, buf_cstr(&name), buf_cstr(&hub))) {
        begin_row(&w->out, l, f->subject, has_name ? buf_cstr(&name) : NULL,
                  has_hub ? buf_cstr(&hub) : NULL);
        for (uint32_t i = 0; i < row->values.count; i++)
            write_decision(&w->out, &comma, row->values.items[i].key, row->values.items[i].as.ptr);
        buf_str(&w->out, "}}");
    }
    buf_fini(&name);
    buf_fini(&hub);
}

static enum err_code judge_row(struct writer *w, const char *subject, void *arg, struct err *err)
{
    const struct past *p = arg;
    struct world *world = p->list->r->world;
    struct fold f = { 0 };
    struct judged_row row = { .arena = &w->arena };
    const struct entry *const *touching;
    size_t events;

    if (world_touching(&touching, &events, world, subject, err) != OK)
        return err->code;
    if (events == 0 || touching[0]->key.time > p->when->at)
        return OK;
    enum err_code rc = fold_subject(&f, w->rules, world, subject, p->when->at, err);
    if (rc == OK)
        rc = record_judge(f.record, p->when->at, take_judged, &row, err);
    if (rc == OK && row.failed)
        rc = err_set(err, ERR_LIMIT, "no memory for the list");
    if (rc == OK)
        write_past(w, p->list, &f, &row);
    strmap_fini(&row.values);
    fold_fini(&f);
    return rc;
}

/* Put the rows that were written on the page, as far as they fit. */
static void take_rows(struct list *l, const struct pieces *pieces, const char *const *subjects,
                      size_t count, bool *more)
{
    size_t len;

    for (size_t i = 0; i < count && !*more; i++) {
        const char *row = pieces_at(pieces, i, &len);
        *more = len > 0 && l->count == l->query.limit;
        if (len == 0 || *more)
            continue;
        buf_str(l->out, l->count++ ? "," : "");
        buf_add(l->out, row, len);
        l->last = subjects[i];
    }
}

/* Of all subjects those of this kind, behind the last page: they stand together. */
static const char *const *find_kind(size_t *count, const struct list *l,
                                    const char *const *subjects)
{
    size_t first = 0, end, prefix = strlen(l->query.kind);

    while (first < *count && (strncmp(subjects[first], l->query.kind, prefix) != 0 ||
                              subjects[first][prefix] != '/' ||
                              (l->query.after && strcmp(subjects[first], l->query.after) <= 0)))
        first++;
    for (end = first; end < *count && strncmp(subjects[end], l->query.kind, prefix) == 0 &&
                      subjects[end][prefix] == '/';)
        end++;
    *count = end - first;
    return subjects + first;
}

static enum err_code list_as_of(struct list *l, const struct instants *when, bool *more,
                                struct err *err)
{
    struct past past = { l, when };
    struct pieces *pieces = NULL;
    size_t count = 0, few = AT_A_TIME;

    enum err_code rc = pieces_new(&pieces, l->r->rules, pieces_expected(when->max_seq), err);
    if (rc == OK)
        rc = reader_world(l->r, when->max_seq, true, err);
    const char *const *subjects = rc == OK ? world_subjects(l->r->world, &count) : NULL;
    if (rc == OK && !subjects)
        rc = err_set(err, ERR_LIMIT, "no memory for the list");
    if (rc == OK)
        subjects = find_kind(&count, l, subjects);
    for (size_t i = 0; i < count && rc == OK && !*more; i += few) {
        few = count - i < AT_A_TIME ? count - i : AT_A_TIME;
        rc = pieces_write(pieces, l->r->world, subjects + i, few, judge_row, &past, err);
        if (rc == OK)
            take_rows(l, pieces, subjects + i, few, more);
    }
    pieces_free(pieces);
    return rc;
}

static enum err_code write_page(struct list *l, const struct instants *when, struct err *err)
{
    bool is_current = false, more = false;
    int64_t seq = 0;

    enum err_code rc = feed_last_seq(&seq, l->r->store, err);
    if (rc == OK && when->is_now)
        rc = reader_tables_are_current(&is_current, &l->waiting, l->r, when->at, err);
    if (is_current)
        seq = derived_mark(l->r->store).feed;
    buf_printf(l->out, "{\"seq\":%lld,\"items\":[", (long long)seq);
    if (rc == OK)
        rc = is_current ? list_subjects(&more, l->r->store, &l->query, take_row, l, err)
                        : list_as_of(l, when, &more, err);
    if (rc == OK && l->count == 0 && !l->query.after)
        rc = list_values_check(l->r->store, &l->query, err);
    buf_str(l->out, "],\"next\":");
    json_write_cstr(l->out, more ? l->last : NULL);
    buf_str(l->out, ",\"place\":");
    write_place(l->out, l->r, seq);
    size_t waiting = is_current ? waiting_count(&l->waiting, l->query.kind) : 0;
    if (waiting > 0)
        buf_printf(l->out, ",\"waiting\":%zu", waiting);
    buf_char(l->out, '}');
    strmap_fini(&l->waiting);
    return rc;
}

/* When it is about is read first: that says which rules the filters are held against. */
static enum err_code read_request(struct list *l, struct instants *when, const struct json *params,
                                  struct err *err)
{
    return params_instants(when, l->r, params, err) == OK ? read_query(l, params, err) : err->code;
}

static enum err_code page_of_events(struct buf *out, struct reader *r, const struct json *params,
                                    struct err *err)
{
    struct list l = { .out = out, .r = r };
    struct instants when;

    return read_request(&l, &when, params, err) == OK ? write_page(&l, &when, err) : err->code;
}

enum err_code answer_list(struct buf *out, struct reader *r, const struct json *params,
                          struct err *err)
{
    struct list l = { .out = out, .r = r };
    struct instants when;

    if (read_request(&l, &when, params, err) != OK)
        return err->code;
    return strcmp(l.query.kind, "hub") == 0
               ? hub_page(out, r, params, l.query.limit, page_of_events, err)
               : write_page(&l, &when, err);
}
