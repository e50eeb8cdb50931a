/* flip.c - see flip.h. All of it is read from what kept records remember; no rule is run. */
#include "lua/flip.h"

#include <stdlib.h>
#include <string.h>

#include "lua/record_internal.h"
#include "lua/state.h"

#define BOTTOM_MAX 64 /* rules that are told; a decision has a handful */

typedef bool differs_fn(const struct record *r, uint16_t rule, const void *arg);

/* The way down from a decision. */
struct descent {
    const struct record *r;
    differs_fn *differs;
    const void *arg;
    uint64_t seen[RULES_MAX / 64]; /* by place */
    uint16_t bottom[BOTTOM_MAX];   /* indexes of rules */
    int count;
};

static const struct rule_def *find_rule(const struct ruleset *rs, enum subject_kind kind,
                                        const char *name)
{
    const struct strmap_item *item = strmap_find(&rs->rule_names, name, strlen(name));
    const struct rule_def *rule = item ? &rs->rules[item->as.num] : NULL;

    return rule && rule->of == kind ? rule : NULL;
}

static void descend(struct descent *d, uint16_t rule)
{
    const struct ruleset *rs = d->r->rs;
    const struct subject_defs *defs = &rs->subjects[d->r->kind];
    uint16_t place = rs->rules[rule].place;
    bool is_bottom = true;

    if (d->seen[place / 64] >> (place % 64) & 1)
        return;
    d->seen[place / 64] |= 1ull << (place % 64);
    /* A rule that failed has no pattern of what it read: it is the bottom itself. */
    for (uint16_t w = 0; d->r->kept[place].is_good && w < rs->rule_words; w++) {
        for (uint64_t bits = kept_rules_read(d->r, place, w); bits; bits &= bits - 1) {
            uint16_t read = defs->rules[w * 64 + __builtin_ctzll(bits)];
            if (!d->differs(d->r, read, d->arg))
                continue;
            is_bottom = false;
            descend(d, read);
        }
    }
    if (is_bottom && d->count < BOTTOM_MAX)
        d->bottom[d->count++] = rule;
}

static int by_number(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b; /* rules are sorted by name */
}

static bool find_bottom(struct descent *d, const char *decision)
{
    const struct rule_def *rule = find_rule(d->r->rs, d->r->kind, decision);

    if (!rule || !d->r->kept)
        return false;
    descend(d, (uint16_t)(rule - d->r->rs->rules));
    qsort(d->bottom, (size_t)d->count, sizeof(d->bottom[0]), by_number);
    return true;
}

/* ---- one record, before and after an instant ---- */

static bool has_changed(const struct record *r, uint16_t rule, const void *arg)
{
    const struct memo *memo = &r->rs->memos[rule];

    (void)arg;
    return memo->epoch == r->rs->epoch && memo->is_changed && memo->had_value;
}

void flip_write_changed(struct buf *out, const struct record *r, const char *decision)
{
    struct descent d = { .r = r, .differs = has_changed };
    bool found = find_bottom(&d, decision);

    buf_char(out, '[');
    for (int i = 0; found && i < d.count; i++) {
        const struct rule_def *rule = &r->rs->rules[d.bottom[i]];
        buf_str(out, i ? ",{\"rule\":" : "{\"rule\":");
        json_write_cstr(out, rule->name);
        buf_str(out, ",\"title\":");
        json_write_cstr(out, rule->title);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

void flip_write_moved(struct buf *out, const struct record *r, int64_t at)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];
    const char *comma = "";

    buf_char(out, '[');
    for (uint16_t i = 0; i < defs->move_count; i++) {
        if (r->moved[i] != at)
            continue;
        buf_str(out, comma);
        json_write_cstr(out, defs->moves[i].name);
        comma = ",";
    }
    buf_char(out, ']');
}

/* ---- two judgings ---- */

bool judgement_take(struct judgement *j, const struct record *r)
{
    uint16_t count = r->rs->subjects[r->kind].rule_count;

    j->rs = r->rs;
    j->kind = r->kind;
    if (count > j->cap) {
        uint32_t *grown = realloc(j->values, count * sizeof(*grown));
        if (!grown)
            return false;
        j->values = grown;
        j->cap = count;
    }
    for (uint16_t i = 0; i < count; i++)
        j->values[i] = r->kept[i].value;
    return true;
}

void judgement_fini(struct judgement *j)
{
    free(j->values);
    *j = (struct judgement){ 0 };
}

void judgement_places(uint16_t *out, const struct ruleset *rs, enum subject_kind kind)
{
    const struct subject_defs *defs = &rs->subjects[kind];

    for (uint16_t i = 0; i < defs->rule_count; i++)
        if (rs->rules[defs->rules[i]].is_decision)
            *out++ = i;
}

const char *judgement_text(const struct judgement *j, uint16_t place)
{
    size_t len;
    return kept_text(j->rs, j->values[place], &len);
}

static const char *text_of(const struct judgement *j, const struct rule_def *rule)
{
    return judgement_text(j, rule->place);
}

struct between {
    const struct judgement *before;
    const struct record *record_before, *after;
};

static const char *text_now(const struct record *r, const struct rule_def *rule)
{
    size_t len;
    return kept_text(r->rs, r->kept[rule->place].value, &len);
}

/* A rule that only one of the two has differs: it is new, or another one by its name. */
static bool differs_between(const struct record *r, uint16_t rule, const void *arg)
{
    const struct between *b = arg;
    const struct rule_def *now = &r->rs->rules[rule];
    const struct rule_def *before = find_rule(b->before->rs, b->before->kind, now->name);

    return !before || strcmp(text_of(b->before, before), text_now(r, now)) != 0;
}

static void write_kept(struct buf *out, const char *text)
{
    if (text[0] != '!') {
        buf_str(out, text);
        return;
    }
    buf_str(out, "{\"error\":");
    json_write_cstr(out, text + 1);
    buf_char(out, '}');
}

/* ---- facts that differ ---- */

static bool fact_by_name(uint16_t *out, const struct record *r, const char *name)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];
    const struct strmap_item *item = strmap_find(&defs->names, name, strlen(name));

    if (!item || item->as.num >> 16 != SLOT_FACT)
        return false;
    *out = (uint16_t)(item->as.num & 0xffff);
    return true;
}

static void write_fact(struct buf *out, const struct record *r, uint16_t fact)
{
    const struct fact_def *f = &r->rs->subjects[r->kind].facts[fact];
    struct cell cell = cell_is_nil(r->facts[fact]) ? f->initial : r->facts[fact];

    if (convert_has_order(f->shape, cell))
        convert_write(out, f->shape, cell);
}

static bool fact_differs(const struct between *b, uint16_t fact)
{
    struct buf one = { 0 }, other = { 0 };
    uint16_t before;

    if (b->record_before == b->after)
        return false;
    if (!fact_by_name(&before, b->record_before,
                      b->after->rs->subjects[b->after->kind].facts[fact].name))
        return true;
    write_fact(&one, b->record_before, before);
    write_fact(&other, b->after, fact);
    bool differs = strcmp(buf_cstr(&one), buf_cstr(&other)) != 0;
    buf_fini(&one);
    buf_fini(&other);
    return differs;
}

static bool has_bit(const uint64_t *bits, uint16_t i)
{
    return bits[i / 64] >> (i % 64) & 1;
}

static int move_of(const struct record *r, uint16_t fact)
{
    const struct subject_defs *defs = &r->rs->subjects[r->kind];

    for (uint16_t m = 0; m < defs->move_count; m++)
        if (defs->moves[m].fact == fact)
            return m;
    return -1;
}

/* Gather those that differ among the facts of `from`, and among what the moves that made them read,
 * and so on. */
static void find_facts(const struct between *b, const uint64_t *from, uint64_t *seen,
                       uint64_t *differing)
{
    const struct record *r = b->after;

    for (uint16_t f = 0; f < r->rs->subjects[r->kind].fact_count; f++) {
        if (!has_bit(from, f) || has_bit(seen, f))
            continue;
        seen[f / 64] |= 1ull << (f % 64);
        if (!fact_differs(b, f))
            continue;
        differing[f / 64] |= 1ull << (f % 64);
        int move = move_of(r, f);
        if (move >= 0)
            find_facts(b, r->asked[move].facts, seen, differing);
    }
}

static int64_t moved_at(const struct record *r, const char *fact)
{
    uint16_t f;
    int move = fact_by_name(&f, r, fact) ? move_of(r, f) : -1;

    return move >= 0 && r->moved[move] != TIME_NEVER ? r->moved[move] : TIME_MIN;
}

/*
 * Of facts that differ, which of them made the others differ? Moves read each other in circles; so
 * it is what reducers made, or else what moved first: the one that both records have settled at the
 * earliest instant, of several the one that is asked first.
 */
static void keep_first(const struct between *b, uint64_t *differing)
{
    const struct record *r = b->after;
    const struct subject_defs *defs = &r->rs->subjects[r->kind];
    uint64_t made[FACTS_MAX / 64] = { 0 };
    int64_t earliest = TIME_NEVER;
    int first = -1;

    for (uint16_t f = 0; f < defs->fact_count; f++)
        if (has_bit(differing, f) && move_of(r, f) < 0) {
            made[f / 64] |= 1ull << (f % 64);
            earliest = TIME_MIN;
        }
    for (uint16_t m = 0; m < defs->move_count && earliest > TIME_MIN; m++) {
        if (!has_bit(differing, defs->moves[m].fact))
            continue;
        int64_t at = moved_at(r, defs->moves[m].name);
        int64_t before = moved_at(b->record_before, defs->moves[m].name);
        at = before > at ? before : at;
        if (first < 0 || at < earliest) {
            first = defs->moves[m].fact;
            earliest = at;
        }
    }
    if (first >= 0)
        made[first / 64] |= 1ull << (first % 64);
    memcpy(differing, made, sizeof(made));
}

static void write_facts(struct buf *out, const struct between *b, const struct rule_def *rule)
{
    const struct record *r = b->after;
    const struct subject_defs *defs = &r->rs->subjects[r->kind];
    uint64_t own[FACTS_MAX / 64] = { 0 }, seen[FACTS_MAX / 64] = { 0 },
                             differing[FACTS_MAX / 64] = { 0 };
    const char *comma = "";

    for (uint16_t f = 0; f < defs->fact_count; f++) {
        uint64_t only[FACTS_MAX / 64] = { 0 };
        only[f / 64] = 1ull << (f % 64);
        if (r->kept[rule->place].is_good && kept_reads(r, rule->place, only, NULL))
            own[f / 64] |= only[f / 64];
    }
    find_facts(b, own, seen, differing);
    keep_first(b, differing);
    buf_char(out, '[');
    for (uint16_t f = 0; f < defs->fact_count; f++) {
        if (!has_bit(differing, f))
            continue;
        buf_str(out, comma);
        json_write_cstr(out, defs->facts[f].name);
        comma = ",";
    }
    buf_char(out, ']');
}

void flip_write_between(struct buf *out, const struct judgement *before,
                        const struct record *record_before, const struct record *after,
                        const char *decision)
{
    struct between b = { before, record_before, after };
    struct descent d = { .r = after, .differs = differs_between, .arg = &b };
    bool found = find_bottom(&d, decision);

    buf_char(out, '[');
    for (int i = 0; found && i < d.count; i++) {
        const struct rule_def *rule = &after->rs->rules[d.bottom[i]];
        const struct rule_def *was = find_rule(before->rs, before->kind, rule->name);
        buf_str(out, i ? ",{\"rule\":" : "{\"rule\":");
        json_write_cstr(out, rule->name);
        buf_str(out, ",\"title\":");
        json_write_cstr(out, rule->title);
        buf_str(out, ",\"old\":");
        write_kept(out, was ? text_of(before, was) : "null");
        buf_str(out, ",\"new\":");
        write_kept(out, text_now(after, rule));
        buf_str(out, ",\"facts\":");
        write_facts(out, &b, rule);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}
