/* invent.c - see invent.h. A life is a list of steps; what an event holds follows from numbers in
 * its step, one for each field, so that a life can be varied in one field and stay the same in all
 * else. */
#include "engine/invent.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/fold.h"

#define FIELDS     16  /* of an event; those beyond share their numbers */
#define STEPS      60  /* of a life */
#define KEPT       256 /* lives that said something new */
#define TYPES      512
#define FIRST_YEAR 2014

struct step {
    const struct event_type *type;
    int64_t time;
    uint64_t seeds[FIELDS];
    bool is_elsewhere; /* it is sent for another subject and names this one */
};
struct life {
    enum subject_kind kind;
    struct step steps[STEPS];
    int count;
};

struct inventor {
    struct tallies *t;
    struct rulebook *rules;
    uint64_t random;
    const struct event_type *types[SUBJECT_KINDS][TYPES]; /* the overlay's own first */
    int type_count[SUBJECT_KINDS], own_count[SUBJECT_KINDS];
    struct life *kept; /* KEPT of them */
    int kept_count;
    int news_count;     /* those at the front showed a rule from a new side: they stay */
    struct strmap seen; /* signatures */
    struct arena arena;
    invent_failed_fn *failed;
    void *arg;
};

static const char *const SELF[SUBJECT_KINDS] = { "school/100001", "group/g1", "hub/01" };
static const char *const OTHER[SUBJECT_KINDS] = { "school/100002", "group/g2", "hub/02" };

/* ---- chance ---- */

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static uint64_t draw(uint64_t *state)
{
    return mix(*state += 0x9e3779b97f4a7c15u);
}

static unsigned below(uint64_t *state, unsigned n)
{
    return (unsigned)(draw(state) % n);
}

/* ---- what an event holds ---- */

struct writer {
    struct buf *out;
    const struct ruleset *rules;
    int64_t time;
    enum subject_kind kind;
};

static void write_value(struct writer *w, const struct type *type, uint64_t *random);

static void write_text(struct writer *w, const struct type *type, uint64_t *random)
{
    char text[YEAR_TEXT > DAY_TEXT ? YEAR_TEXT : DAY_TEXT];
    uint16_t rules = ruleset_rule_count(w->rules);

    switch (type->kind) {
    case TYPE_ENUM:
        json_write_cstr(w->out, type->values[below(random, type->value_count)]);
        break;
    case TYPE_YEAR: { /* mostly that of the event, or the next */
        unsigned n = below(random, 10);
        json_write_cstr(w->out, year_text(year_at(w->time) + (n < 6 ? 0 : n < 9 ? 1 : -1), text));
        break;
    }
    case TYPE_DATE:
        json_write_cstr(w->out,
                        day_text(london_day(w->time) + (int32_t)below(random, 200) - 60, text));
        break;
    case TYPE_PERSON:
        buf_printf(w->out, "\"p%u\"", below(random, 4));
        break;
    case TYPE_HUB: /* of which the rules are that are tried */
        json_write_cstr(w->out, ruleset_hub(w->rules) ? ruleset_hub(w->rules) : "01");
        break;
    case TYPE_SCHOOL:
    case TYPE_GROUP: {
        enum subject_kind kind = type->kind == TYPE_SCHOOL ? SUBJECT_SCHOOL : SUBJECT_GROUP;
        json_write_cstr(w->out, below(random, 5) ? SELF[kind] : OTHER[kind]);
        break;
    }
    default: /* a text that rules look at is mostly the name of one */
        if (rules > 0 && below(random, 4))
            json_write_cstr(w->out, ruleset_rule(w->rules, (uint16_t)below(random, rules)).name);
        else
            buf_printf(w->out, "\"text %u\"", below(random, 3));
        break;
    }
}

static void write_number(struct writer *w, const struct type *type, uint64_t *random)
{
    int64_t min = type->kind == TYPE_INT ? type->min : -5;
    uint64_t span = type->kind == TYPE_INT ? (uint64_t)(type->max - type->min) : 1000;
    unsigned n = below(random, 8);
    int64_t small = min <= 0 && (uint64_t)-min <= span ? 0 : min; /* the one next to nothing */
    uint64_t above = span - (uint64_t)(small - min);

    if (n == 0)
        buf_printf(w->out, "%lld", (long long)min);
    else if (n == 1)
        buf_printf(w->out, "%lld", (long long)(min + (int64_t)span));
    else
        buf_printf(
            w->out, "%lld",
            (long long)(small + (int64_t)(draw(random) % (n < 5 && above > 12    ? 12
                                                          : n < 7 && above > 600 ? 600
                                                                                 : above + 1))));
}

static void write_row(struct writer *w, const struct type *type, const uint64_t *seeds,
                      uint64_t *random)
{
    const char *comma = "";

    buf_char(w->out, '{');
    for (uint32_t i = 0; i < type->field_count; i++) {
        uint64_t own = seeds ? seeds[i % FIELDS] + i / FIELDS : draw(random);
        if (type->fields[i].is_optional && below(&own, 2))
            continue;
        buf_str(w->out, comma);
        comma = ",";
        json_write_cstr(w->out, type->fields[i].name);
        buf_char(w->out, ':');
        write_value(w, type->fields[i].type, &own);
    }
    buf_char(w->out, '}');
}

static void write_many(struct writer *w, const struct type *type, uint64_t *random)
{
    bool is_map = type->kind == TYPE_MAP;
    unsigned count = is_map ? 1 : below(random, 4);

    buf_char(w->out, is_map ? '{' : '[');
    for (unsigned i = 0; i < count; i++) {
        buf_str(w->out, i ? "," : "");
        if (is_map) {
            write_value(w, type->key, random);
            buf_char(w->out, ':');
        }
        write_value(w, type->of, random);
    }
    buf_char(w->out, is_map ? '}' : ']');
}

static void write_value(struct writer *w, const struct type *type, uint64_t *random)
{
    char text[TIME_TEXT];

    switch (type->kind) {
    case TYPE_BOOL:
        buf_str(w->out, below(random, 2) ? "true" : "false");
        break;
    case TYPE_INT:
    case TYPE_NUMBER:
        write_number(w, type, random);
        break;
    case TYPE_TIME:
        json_write_cstr(
            w->out, time_text(w->time + ((int64_t)below(random, 400) - 200) * US_PER_DAY, text));
        break;
    case TYPE_ROW:
        write_row(w, type, NULL, random);
        break;
    case TYPE_SET:
    case TYPE_LIST:
    case TYPE_MAP:
        write_many(w, type, random);
        break;
    case TYPE_TEXT:
    case TYPE_DATE:
    case TYPE_YEAR:
    case TYPE_ENUM:
    case TYPE_PERSON:
    case TYPE_NOTE:
    case TYPE_SCHOOL:
    case TYPE_GROUP:
    case TYPE_HUB:
        write_text(w, type, random);
        break;
    }
}

/* ---- lives ---- */

static struct step new_step(struct inventor *in, const struct life *life)
{
    int types = in->own_count[life->kind]; /* where the overlay has some, half of all */
    if (!types || below(&in->random, 2))
        types = in->type_count[life->kind];
    struct step step = { .type = in->types[life->kind][below(&in->random, (unsigned)types)] };
    int64_t gaps[] = { 0, 1, 20, 60, 100, 200, 400 };
    int64_t from = life->count ? life->steps[below(&in->random, (unsigned)life->count)].time
                               : year_start(FIRST_YEAR + (int)below(&in->random, 12)) +
                                     below(&in->random, 365) * US_PER_DAY;

    step.time = from + gaps[below(&in->random, 7)] * US_PER_DAY;
    step.is_elsewhere = !step.type->subjects[life->kind] || !below(&in->random, 8);
    for (int i = 0; i < FIELDS; i++)
        step.seeds[i] = draw(&in->random);
    return step;
}

static void insert(struct life *life, struct step step)
{
    int at = life->count;

    if (life->count == STEPS)
        return;
    while (at > 0 && life->steps[at - 1].time > step.time) {
        life->steps[at] = life->steps[at - 1];
        at--;
    }
    life->steps[at] = step;
    life->count++;
}

/* Once more, with one field or the time changed: how five of six meetings come about. */
static void repeat(struct inventor *in, struct life *life)
{
    struct step step = life->steps[below(&in->random, (unsigned)life->count)];

    step.seeds[below(&in->random, step.type->data->field_count < FIELDS
                                      ? step.type->data->field_count + 1
                                      : FIELDS) %
               FIELDS] = draw(&in->random);
    if (below(&in->random, 2))
        step.time += (int64_t)below(&in->random, 60) * US_PER_DAY;
    insert(life, step);
}

static void drop(struct inventor *in, struct life *life)
{
    int at = (int)below(&in->random, (unsigned)life->count);

    life->count--;
    memmove(&life->steps[at], &life->steps[at + 1],
            (size_t)(life->count - at) * sizeof(life->steps[0]));
}

static void vary(struct inventor *in, struct life *life)
{
    for (unsigned n = 1 + below(&in->random, 5); n > 0; n--) {
        unsigned what = below(&in->random, 10);
        if (life->count == 0 || what < 5)
            insert(life, new_step(in, life));
        else if (what < 9)
            repeat(in, life);
        else
            drop(in, life);
    }
}

/* ---- what the rules say of a life ---- */

static enum err_code make_items(struct inventor *in, struct item *items, const struct life *life,
                                struct err *err)
{
    struct entry *entries = arena_alloc(&in->arena, sizeof(*entries) * STEPS);
    const char **as = arena_alloc(&in->arena, sizeof(*as));
    struct buf text = { 0 };

    for (int i = 0; entries && as && i < life->count; i++) {
        const struct step *step = &life->steps[i];
        struct writer w = {
            .out = &text, .rules = in->t->rules, .time = step->time, .kind = life->kind
        };
        int about = life->kind;
        while (!step->type->subjects[about]) /* each type has one */
            about = (about + 1) % SUBJECT_KINDS;
        buf_reset(&text);
        buf_str(&text, "{\"data\":");
        write_row(&w, step->type->data, step->seeds, NULL);
        buf_char(&text, '}');
        *as = SELF[life->kind];
        entries[i] = (struct entry){ .seq = i + 1,
                                     .key = { .time = step->time, .source = "invented", .id = "1" },
                                     .type = step->type->name,
                                     .subject = step->is_elsewhere ? OTHER[about] : SELF[about],
                                     .body = arena_copy(&in->arena, buf_cstr(&text), text.len),
                                     .body_len = (uint32_t)text.len };
        items[i] = (struct item){ .entry = &entries[i], .as = as, .as_count = 1 };
        if (text.failed || !entries[i].body)
            entries = NULL;
    }
    buf_fini(&text);
    return entries && as ? OK : err_set(err, ERR_LIMIT, "no memory to invent schools");
}

/* Keep a life whose answers are new; when there is no more room, in place of another. */
static enum err_code keep_if_new(struct inventor *in, const struct life *life, struct err *err)
{
    bool is_new;
    uint64_t *key = malloc(sizeof(*key));

    if (key)
        *key = in->t->signature;
    struct strmap_item *item =
        key ? strmap_add(&in->seen, (const char *)key, sizeof(*key), &is_new) : NULL;
    if (!item || !is_new)
        free(key);
    if (!item)
        return err_set(err, ERR_LIMIT, "no memory to invent schools");
    if (!is_new)
        return OK;
    bool stays = in->t->has_news && in->news_count < KEPT / 2;
    int at = in->kept_count < KEPT
                 ? in->kept_count++
                 : in->news_count + (int)below(&in->random, (unsigned)(KEPT - in->news_count));
    if (stays) { /* to the front, and what was there to the place that is free */
        in->kept[at] = in->kept[in->news_count];
        at = in->news_count++;
    }
    in->kept[at] = *life;
    return OK;
}

static enum err_code live(struct inventor *in, const struct life *life, struct err *err)
{
    struct item items[STEPS];
    struct fold f = { 0 };
    static const int LATER[] = { 1, 30, 120, 400, 800 };
    int64_t at = life->count ? life->steps[life->count - 1].time : year_start(FIRST_YEAR);

    arena_reset(&in->arena);
    enum err_code rc = make_items(in, items, life, err);
    if (rc == OK)
        rc = fold_init_at(&f, in->rules, in->t->rules, SELF[life->kind], items, (size_t)life->count,
                          err);
    for (int i = 0; rc == OK && i < 2; i++) { /* at its end, and later */
        rc = fold_to(&f, at, err);
        if (rc == OK && record_ruleset(f.record) != in->t->rules)
            continue; /* another hub's */
        if (rc == OK)
            rc = tallies_take(in->t, f.record, at, err);
        if (rc == OK)
            rc = keep_if_new(in, life, err);
        at += LATER[below(&in->random, 5)] * US_PER_DAY;
    }
    for (const struct fault *fault = f.faults; rc == OK && fault; fault = fault->next) {
        in->failed(fault->message, in->arg);
        in->t->stopped += fault->is_spent;
    }
    fold_fini(&f);
    return rc;
}

/* Have all rules about a kind of subject come out in both ways, of an overlay's those of its own?
 * What is neither true nor false counts as well; one that fails each time is told already. */
static bool is_done(const struct inventor *in, enum subject_kind kind)
{
    bool is_done = true;

    for (uint16_t i = 0; i < in->t->count && is_done; i++) {
        const struct tally *tally = &in->t->items[i];
        struct rule_info rule = ruleset_rule(in->t->rules, i);
        bool is_wanted = rule.of == kind && (rule.is_own || !ruleset_hub(in->t->rules));
        bool only_fails = tally->failed > 0 && tally->met + tally->unmet + tally->waived == 0;
        is_done =
            !is_wanted || tally->other > 0 || only_fails || (tally->met > 0 && tally->unmet > 0);
    }
    return is_done;
}

static enum err_code invent_kind(struct inventor *in, enum subject_kind kind,
                                 const struct invention *how, struct err *err)
{
    struct life *life = malloc(sizeof(*life));
    enum err_code rc = life ? OK : err_set(err, ERR_LIMIT, "no memory to invent schools");

    in->kept_count = in->news_count = 0;
    for (int i = 0; rc == OK && i < how->rounds && in->type_count[kind]; i++) {
        if ((i >= how->least_rounds && is_done(in, kind)) || in->t->stopped >= INVENT_STOPPED_MAX)
            break;
        *life = (struct life){ .kind = kind };
        if (in->kept_count && below(&in->random, 10))
            *life = in->kept[below(&in->random, (unsigned)(in->news_count && below(&in->random, 2)
                                                               ? in->news_count
                                                               : in->kept_count))];
        vary(in, life);
        rc = live(in, life, err);
    }
    free(life);
    return rc;
}

static void add_types(struct inventor *in, enum subject_kind kind, bool is_own)
{
    const struct strmap *types = &ruleset_catalog(in->t->rules)->types;

    for (uint32_t i = 0; i < types->count && in->type_count[kind] < TYPES; i++) {
        const struct event_type *type = types->items[i].as.ptr;
        if (ruleset_takes(in->t->rules, kind, type->name) &&
            is_own == (strncmp(type->declared_at, "hubs/", 5) == 0))
            in->types[kind][in->type_count[kind]++] = type;
    }
}

static void find_types(struct inventor *in)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        add_types(in, (enum subject_kind)kind, true);
        in->own_count[kind] = in->type_count[kind];
        add_types(in, (enum subject_kind)kind, false);
    }
}

enum err_code invent(struct tallies *t, struct rulebook *rules, const struct invention *how,
                     invent_failed_fn *failed, void *arg, struct err *err)
{
    struct inventor *in = calloc(1, sizeof(*in));
    enum err_code rc = OK;

    if (in)
        *in = (struct inventor){
            .t = t, .rules = rules, .random = how->seed, .failed = failed, .arg = arg
        };
    if (!in || !(in->kept = calloc(KEPT, sizeof(*in->kept)))) {
        free(in);
        return err_set(err, ERR_LIMIT, "no memory to invent schools");
    }
    find_types(in);
    for (int kind = 0; kind < SUBJECT_KINDS && rc == OK; kind++)
        rc = invent_kind(in, (enum subject_kind)kind, how, err);
    for (uint32_t i = 0; i < in->seen.count; i++)
        free((void *)in->seen.items[i].key);
    strmap_fini(&in->seen);
    arena_fini(&in->arena);
    free(in->kept);
    free(in);
    return rc;
}
