/* advise_events.c - see advise_events.h. */
#include "engine/advise_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/digest.h"

#define VALUES_MAX   12
#define PER_TYPE_MAX 80
#define FOUND_MAX    3 /* groups and years of the subject's own that are tried */
#define PEOPLE_MAX   3 /* of one set of people */
#define NEW_GROUP    "group/new"

struct making {
    struct candidates *out;
    struct arena *arena;
    const char *subject;
    enum subject_kind kind;
    const char *decision;
    const char *groups[FOUND_MAX + 1];
    int group_count;
    const char *years[FOUND_MAX + 2];
    int year_count;
    const char *hub;
    int64_t at;
    bool has_failed;
};

/* ---- what the subject holds ---- */

static void add_once(const char **list, int *count, int max, const char *text)
{
    for (int i = 0; i < *count; i++)
        if (strcmp(list[i], text) == 0)
            return;
    if (*count < max)
        list[(*count)++] = text;
}

/* Advice that was followed to the letter has left people of such names behind. */
static void look_at_name(struct making *m, const char *name)
{
    int number = 0, end = 0;

    if (sscanf(name, "new-%6d%n", &number, &end) == 1 && !name[end] &&
        number > m->out->known_people)
        m->out->known_people = number;
}

static void look_at(struct making *m, const struct json *v, const char *name)
{
    int year;
    size_t len = name ? strlen(name) : 0;

    if (name)
        look_at_name(m, name);
    if (v->type == JSON_STRING)
        look_at_name(m, v->as.string);
    if (name && year_parse(&year, name, len, NULL) == OK)
        add_once(m->years, &m->year_count, FOUND_MAX + 2, name);
    if (v->type == JSON_STRING && strncmp(v->as.string, "group/", 6) == 0)
        add_once(m->groups, &m->group_count, FOUND_MAX + 1, v->as.string);
    if (v->type == JSON_STRING && year_parse(&year, v->as.string, v->len, NULL) == OK)
        add_once(m->years, &m->year_count, FOUND_MAX + 2, v->as.string);
    if ((v->type == JSON_ARRAY || v->type == JSON_OBJECT) && v->len > 0)
        for (const struct json *i = v->as.first; i; i = i->next)
            look_at(m, i, v->type == JSON_OBJECT ? i->name : NULL);
}

static void look_around(struct making *m, const struct json *facts)
{
    char text[YEAR_TEXT];
    const struct json *hub = json_get(facts, "hub");

    for (int next = 0; next < 2; next++) {
        const char *year = arena_strdup(m->arena, year_text(year_at(m->at) + next, text));
        m->has_failed = m->has_failed || !year;
        if (year)
            add_once(m->years, &m->year_count, FOUND_MAX + 2, year);
    }
    add_once(m->groups, &m->group_count, 1, m->kind == SUBJECT_GROUP ? m->subject : NEW_GROUP);
    look_at(m, facts, NULL);
    if (m->kind == SUBJECT_GROUP)
        m->group_count = 1;
    m->hub = hub && hub->type == JSON_STRING ? hub->as.string : "01";
}

/* ---- values of a field ---- */

struct values {
    const char *items[VALUES_MAX]; /* JSON; NULL: the field is left out */
    int count;
    bool has_people;
    bool has_subject; /* the subject itself is named */
};

static void add_value(struct values *v, struct making *m, const char *text)
{
    const char *kept = text ? arena_strdup(m->arena, text) : NULL;

    m->has_failed = m->has_failed || (text && !kept);
    if (v->count < VALUES_MAX && (kept || !text))
        v->items[v->count++] = kept;
}

static void add_text(struct values *v, struct making *m, const char *text)
{
    struct buf b = { 0 };

    json_write_cstr(&b, text);
    add_value(v, m, buf_cstr(&b));
    buf_fini(&b);
}

static void add_people(struct values *v, struct making *m)
{
    struct buf b = { 0 };

    for (int n = 1; n <= PEOPLE_MAX; n++) {
        buf_reset(&b);
        for (int i = 1; i <= n; i++)
            buf_printf(&b, "%s\"new-@%d\"", i > 1 ? "," : "[", i);
        buf_char(&b, ']');
        add_value(v, m, buf_cstr(&b));
    }
    v->has_people = true;
    buf_fini(&b);
}

static void add_whole_numbers(struct values *v, struct making *m, const struct type *t)
{
    char text[24];
    int64_t first = t->min > INT64_MIN ? t->min : 0;

    for (int64_t n = first; n <= t->max && n < first + VALUES_MAX; n++) {
        snprintf(text, sizeof(text), "%lld", (long long)n);
        add_value(v, m, text);
    }
}

static void values_of(struct values *v, struct making *m, const struct type *t);

/* {"school/1": [...]}: the subject, with each value that it may have there. */
static void add_map(struct values *v, struct making *m, const struct type *t)
{
    struct values of = { 0 };
    struct buf b = { 0 };

    if (t->key->kind != TYPE_SCHOOL || m->kind != SUBJECT_SCHOOL)
        return;
    values_of(&of, m, t->of);
    for (int i = 0; i < of.count; i++) {
        buf_reset(&b);
        buf_char(&b, '{');
        json_write_cstr(&b, m->subject);
        buf_printf(&b, ":%s}", of.items[i]);
        add_value(v, m, buf_cstr(&b));
    }
    v->has_people = v->has_people || of.has_people;
    v->has_subject = true;
    buf_fini(&b);
}

static void add_scalar(struct values *v, struct making *m, const struct type *t)
{
    char day[DAY_TEXT], time[TIME_TEXT];

    switch (t->kind) {
    case TYPE_TEXT: /* the one text that means something here is a rule's name */
        add_text(v, m, m->decision);
        break;
    case TYPE_NOTE:
        add_text(v, m, "as advised");
        break;
    case TYPE_BOOL:
        add_value(v, m, "true");
        add_value(v, m, "false");
        break;
    case TYPE_INT:
        add_whole_numbers(v, m, t);
        break;
    case TYPE_NUMBER:
        add_value(v, m, "1");
        break;
    case TYPE_TIME:
        add_text(v, m, time_text(m->at, time));
        break;
    case TYPE_DATE:
        add_text(v, m, day_text(london_day(m->at), day));
        break;
    case TYPE_YEAR:
        for (int i = 0; i < m->year_count; i++)
            add_text(v, m, m->years[i]);
        break;
    case TYPE_ENUM:
        for (uint32_t i = 0; i < t->value_count; i++)
            add_text(v, m, t->values[i]);
        break;
    case TYPE_PERSON:
        add_text(v, m, "new-@1");
        v->has_people = true;
        break;
    case TYPE_GROUP:
        for (int i = 0; i < m->group_count; i++)
            add_text(v, m, m->groups[i]);
        break;
    case TYPE_HUB:
        add_text(v, m, m->hub);
        break;
    case TYPE_SCHOOL: /* another school is not ours to name */
    case TYPE_SET:
    case TYPE_LIST:
    case TYPE_MAP:
    case TYPE_ROW:
        break;
    }
}

static void values_of(struct values *v, struct making *m, const struct type *t)
{
    if (t->kind == TYPE_MAP)
        add_map(v, m, t);
    else if (t->kind == TYPE_SET && t->of->kind == TYPE_PERSON)
        add_people(v, m);
    else if (t->kind == TYPE_SET || t->kind == TYPE_LIST)
        add_value(v, m, "[]");
    else
        add_scalar(v, m, t);
}

static void field_values(struct values *v, struct making *m, const struct type_field *f)
{
    enum type_kind kind = f->type->kind;

    *v = (struct values){ 0 };
    if (!f->is_optional) {
        values_of(v, m, f->type);
        return;
    }
    add_value(v, m, NULL);
    if (kind == TYPE_BOOL)
        add_value(v, m, "true");
    else if (kind == TYPE_ENUM || kind == TYPE_YEAR)
        values_of(v, m, f->type);
}

/* ---- events ---- */

static void add_candidate(struct making *m, const struct event_type *type, const char *subject,
                          const struct values *fields, const int *chosen)
{
    struct candidates *out = m->out;
    struct buf data = { 0 };
    bool has_people = false;

    buf_char(&data, '{');
    for (uint32_t i = 0; i < type->data->field_count; i++) {
        const char *value = fields[i].items[chosen[i]];
        if (!value)
            continue;
        buf_str(&data, data.len > 1 ? "," : "");
        json_write_cstr(&data, type->data->fields[i].name);
        buf_printf(&data, ":%s", value);
        has_people = has_people || fields[i].has_people;
    }
    buf_char(&data, '}');
    const char *text = data.failed ? NULL : arena_strdup(m->arena, buf_cstr(&data));
    m->has_failed = m->has_failed || !text;
    if (text && out->count < CANDIDATES_MAX)
        out->items[out->count++] = (struct candidate){
            .type = type, .subject = subject, .data = text, .has_people = has_people
        };
    buf_fini(&data);
}

/* Every choice of values, the last field's changing first. */
static void add_choices(struct making *m, const struct event_type *type, const char *subject,
                        const struct values *fields)
{
    int chosen[64] = { 0 };
    uint32_t count = type->data->field_count;

    for (int made = 0; made < PER_TYPE_MAX; made++) {
        add_candidate(m, type, subject, fields, chosen);
        uint32_t i = count;
        while (i > 0 && ++chosen[i - 1] == fields[i - 1].count)
            chosen[--i] = 0;
        if (i == 0)
            break;
    }
}

/* Of its own, or one about a group that names it. */
static void add_type(struct making *m, const struct event_type *type)
{
    struct values fields[64];
    bool names_it = type->subjects[m->kind];

    if (type->data->field_count > 64)
        return;
    for (uint32_t i = 0; i < type->data->field_count; i++) {
        field_values(&fields[i], m, &type->data->fields[i]);
        if (fields[i].count == 0)
            return; /* it needs something that nobody can guess */
        names_it = names_it || fields[i].has_subject;
    }
    if (!names_it || (!type->subjects[m->kind] && !type->subjects[SUBJECT_GROUP]))
        return;
    m->out->kinds++;
    add_choices(m, type, type->subjects[m->kind] ? m->subject : m->groups[m->group_count - 1],
                fields);
}

static int by_name(const void *a, const void *b)
{
    const struct event_type *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

bool candidates_find(struct candidates *out, struct arena *arena, const struct catalog *catalog,
                     const char *subject, const struct json *facts, const char *decision,
                     int64_t at)
{
    struct making m = {
        .out = out, .arena = arena, .subject = subject, .decision = decision, .at = at
    };
    const struct event_type **types =
        arena_alloc(arena, (catalog->types.count + 1) * sizeof(*types));
    size_t count = 0;

    if (!types || subject_parse(&m.kind, subject, strlen(subject), NULL) != OK)
        return false;
    look_around(&m, facts);
    for (uint32_t i = 0; i < catalog->types.count; i++) {
        const struct event_type *type = catalog->types.items[i].as.ptr;
        if (type->advice)
            types[count++] = type;
    }
    qsort(types, count, sizeof(*types), by_name);
    for (size_t i = 0; i < count; i++)
        add_type(&m, types[i]);
    return !m.has_failed;
}

int candidate_people(const struct candidate *c)
{
    int most = 0;

    for (const char *p = c->data; (p = strchr(p, '@')); p++)
        most = p[1] - '0' > most ? p[1] - '0' : most;
    return most;
}

void candidate_write(struct buf *out, const struct candidate *c, int number, int people, int64_t at)
{
    char time[TIME_TEXT], id[DIGEST_HEX];
    uint8_t digest[DIGEST_BYTES];
    struct buf says = { 0 };

    buf_str(&says, "\"type\":");
    json_write_cstr(&says, c->type->name);
    buf_str(&says, ",\"subject\":");
    json_write_cstr(&says, c->subject);
    buf_printf(&says, ",\"time\":\"%s\",\"data\":", time_text(at, time));
    for (const char *p = c->data; *p; p++) {
        if (*p != '@') {
            buf_char(&says, *p);
            continue;
        }
        p++;
        buf_printf(&says, "%d", people + (*p - '0'));
    }
    buf_char(&says, '}');
    const struct digest_part part = { buf_cstr(&says), says.len };
    digest_parts(digest, NULL, &part, 1);
    buf_printf(out, "{\"specversion\":\"1.0\",\"id\":\"advised-%d-%.16s\",", number,
               digest_hex(digest, id));
    buf_printf(out, "\"source\":\"urn:pathway:advice\",%s", buf_cstr(&says));
    out->failed = out->failed || says.failed;
    buf_fini(&says);
}
