/* advise.c - see advise.h. The search: sets by their size, each folded once. */
#include "engine/advise_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/strmap.h"
#include "base/text.h"
#include "lua/declared.h"

#define TRIES_MAX 4000 /* sets that are folded: some seconds; then what was found is told */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to look for advice");
}

static void take_nothing(const struct judged *j, void *arg)
{
    (void)j;
    (void)arg;
}

/* ---- sets that were tried ---- */

/* The result of a set, folded at first sight. NULL without an error: no more tries. */
static enum err_code try_set(struct tried **out, bool *is_new, struct search *s, const int *members,
                             int count, struct err *err)
{
    struct tried *t;
    struct strmap_item *item =
        strmap_find(&s->done, (const char *)members, (size_t)count * sizeof(*members));

    *out = item ? item->as.ptr : NULL;
    *is_new = !item;
    if (item)
        return OK;
    if (s->a->tried == TRIES_MAX) {
        s->is_out_of_tries = true;
        return OK;
    }
    t = arena_alloc(s->a->arena, sizeof(*t));
    if (!t)
        return no_memory(err);
    memcpy(t->members, members, (size_t)count * sizeof(*members));
    t->count = count;
    s->a->tried++;
    if (tried_fold(t, s, err) != OK)
        return err->code;
    item = strmap_add(&s->done, (const char *)t->members, (size_t)count * sizeof(*members), NULL);
    if (!item)
        return no_memory(err);
    item->as.ptr = t;
    *out = t;
    return OK;
}

/* Does a part of it do as well? All parts with one event less stand for the parts of those. */
static enum err_code has_part_as_good(bool *out, struct search *s, const struct tried *t,
                                      struct err *err)
{
    *out = false;
    for (int skip = 0; skip < t->count && !*out; skip++) {
        int members[ADVISE_EVENTS], n = 0;
        struct tried *part;
        bool is_new;
        for (int i = 0; i < t->count; i++)
            if (i != skip)
                members[n++] = t->members[i];
        if (try_set(&part, &is_new, s, members, n, err) != OK)
            return err->code;
        if (!part) { /* not to be known any more: then it is no answer */
            *out = true;
            return OK;
        }
        bool deeper = false;
        if (part->true_at > t->true_at && part->count > 0 &&
            has_part_as_good(&deeper, s,
                             &(struct tried){ .count = part->count,
                                              .true_at = t->true_at,
                                              .members = { part->members[0], part->members[1],
                                                           part->members[2], part->members[3] } },
                             err) != OK)
            return err->code;
        *out = part->true_at <= t->true_at || deeper;
    }
    return OK;
}

static enum err_code keep_answer(struct search *s, const struct tried *t, struct err *err)
{
    struct advice *a = s->a;

    if (t->true_at == a->at)
        s->is_answered_now = true;
    if (a->set_count == ADVISE_SETS) {
        a->has_more = true;
        return OK;
    }
    struct advice_set *set = &a->sets[a->set_count++];
    int people = s->candidates->known_people;
    *set = (struct advice_set){ .count = t->count, .true_at = t->true_at };
    for (int i = 0; i < t->count; i++) {
        const struct candidate *c = &s->candidates->items[t->members[i]];
        struct buf text = { 0 };
        candidate_write(&text, c, i + 1, people, a->at); /* as it was folded */
        people += candidate_people(c);
        set->events[i] = text.failed ? NULL : arena_strdup(a->arena, buf_cstr(&text));
        set->titles[i] = c->type->advice;
        buf_fini(&text);
        if (!set->events[i])
            return no_memory(err);
    }
    return OK;
}

/* ---- larger and larger sets ---- */

static bool insert(int *out, const struct tried *t, int member, const struct candidates *all)
{
    int n = 0;
    bool placed = false;

    for (int i = 0; i < t->count; i++) {
        if (t->members[i] == member && !all->items[member].has_people)
            return false;
        if (!placed && member < t->members[i]) {
            out[n++] = member;
            placed = true;
        }
        out[n++] = t->members[i];
    }
    if (!placed)
        out[n] = member;
    return true;
}

static enum err_code extend(struct search *s, const struct tried *from, struct err *err)
{
    const struct candidates *all = s->candidates;
    enum err_code rc = OK;

    for (int c = 0; c < all->count && rc == OK && !s->is_out_of_tries; c++) {
        int members[ADVISE_EVENTS];
        struct tried *t;
        bool is_new, is_no_better;
        if (!fact_set_meets(&all->items[c].touches, &from->needs) || !insert(members, from, c, all))
            continue;
        rc = try_set(&t, &is_new, s, members, from->count + 1, err);
        if (rc != OK || !t || !is_new)
            continue;
        if (t->true_at != TIME_NEVER) {
            rc = has_part_as_good(&is_no_better, s, t, err);
            if (rc == OK && !is_no_better)
                rc = keep_answer(s, t, err);
        }
        if (t->true_at > s->a->at && s->next_count < FRONTIER_MAX)
            s->next[s->next_count++] = t;
        else if (t->true_at > s->a->at)
            s->is_out_of_tries = true;
    }
    return rc;
}

static enum err_code search_sizes(struct search *s, struct tried *empty, struct err *err)
{
    enum err_code rc = OK;

    s->frontier[0] = empty;
    s->frontier_count = 1;
    for (int size = 1; size <= ADVISE_EVENTS && rc == OK && !s->is_answered_now; size++) {
        s->next_count = 0;
        for (int i = 0; i < s->frontier_count && rc == OK; i++)
            rc = extend(s, s->frontier[i], err);
        memcpy(s->frontier, s->next, (size_t)s->next_count * sizeof(s->next[0]));
        s->frontier_count = s->next_count;
    }
    return rc;
}

/* ---- what is worth a try ---- */

static enum err_code look_at_candidate(bool *is_same, struct candidate *c, struct search *s,
                                       struct strmap *seen, struct err *err)
{
    struct fold f = { 0 };
    struct buf facts = { 0 };
    struct extra extra;
    const char *const own[] = { s->a->subject };

    enum err_code rc = extra_make(&extra, s, c, 0, s->candidates->known_people, own, err);
    if (rc == OK)
        rc = fold_init(&f, s->a->rules, s->a->subject, s->items, s->item_count, err);
    if (rc == OK)
        rc = fold_to(&f, s->a->at, err);
    const struct json *body = NULL;
    if (rc == OK)
        rc = json_parse(&body, s->a->arena, extra.entry.body, extra.entry.body_len,
                        EVENT_MAX_DEPTH + 1, err);
    struct fold_event e = { .time = s->a->at,
                            .type = extra.entry.type,
                            .source = extra.entry.key.source,
                            .id = extra.entry.key.id,
                            .subject = extra.entry.subject,
                            .data = json_get(body, "data"),
                            .as = own,
                            .as_count = 1 };
    bool fails = false, is_new = false;
    if (rc == OK) {
        rc = fold_try(&f, &e, err);
        fails = rc == ERR_RULE; /* a reducer does not take it: no advice */
    }
    if (rc == OK) {
        c->touches = record_touched_facts(f.record);
        rc = record_write_facts(&facts, f.record, err);
    }
    char *text = rc == OK ? arena_strdup(s->a->arena, buf_cstr(&facts)) : NULL;
    if (rc == OK && (!text || !strmap_add(seen, text, strlen(text), &is_new)))
        rc = no_memory(err);
    *is_same = !is_new;
    if (fails)
        rc = OK;
    buf_fini(&facts);
    fold_fini(&f);
    return rc;
}

/* The same event with another group is the same advice; a new group comes first. */
static enum err_code is_in_another_group(bool *out, struct strmap *groups, struct search *s,
                                         const struct candidate *c, struct err *err)
{
    struct buf key = { 0 };
    bool is_new = false;

    buf_printf(&key, "%s ", c->type->name);
    for (const char *p = c->data; *p; p++) {
        buf_char(&key, *p);
        if (strncmp(p, "\"group/", 7) == 0)
            p += strcspn(p + 1, "\"");
    }
    const char *kept = key.failed ? NULL : arena_strdup(s->a->arena, buf_cstr(&key));
    buf_fini(&key);
    if (!kept || !strmap_add(groups, kept, strlen(kept), &is_new))
        return no_memory(err);
    *out = !is_new;
    return OK;
}

/* Of events that make the same facts the first is kept; those that make none others go. */
static enum err_code look_at_candidates(struct search *s, const char *facts, struct err *err)
{
    struct candidates *all = s->candidates;
    struct strmap seen = { 0 }, groups = { 0 };
    int kept = 0;
    enum err_code rc = strmap_add(&seen, facts, strlen(facts), NULL) ? OK : no_memory(err);

    for (int i = 0; i < all->count && rc == OK; i++) {
        bool is_same = false;
        rc = look_at_candidate(&is_same, &all->items[i], s, &seen, err);
        if (rc == OK && !is_same)
            rc = is_in_another_group(&is_same, &groups, s, &all->items[i], err);
        if (rc == OK && !is_same)
            all->items[kept++] = all->items[i];
    }
    all->count = kept;
    strmap_fini(&seen);
    strmap_fini(&groups);
    return rc;
}

/* ---- before and after the search ---- */

/* What must be and neither comes by itself nor is touched by any event is in the way of
 * every set. */
static bool is_hopeless(const struct advice *a)
{
    for (int i = 0; i < a->obstacle_count; i++) {
        const struct obstacle *o = &a->obstacles[i];
        if (o->is_required && !o->is_reachable && o->comes_at == TIME_NEVER)
            return true;
    }
    return false;
}

struct obstacles {
    struct search *s;
    const struct record *r;
};

/* A number that another criterion reads is nothing that could be met; that one is told. */
static bool is_yes_or_no(const char *said)
{
    return !said || strcmp(said, "true") == 0 || strcmp(said, "false") == 0 || said[0] == '!';
}

static void take_obstacle(const struct need *need, void *arg)
{
    const struct obstacles *all = arg;
    struct search *s = all->s;
    struct advice *a = s->a;

    const char *said = record_said(all->r, need->rule);
    if (!is_yes_or_no(said) ||
        a->obstacle_count == (int)(sizeof(a->obstacles) / sizeof(a->obstacles[0])))
        return;
    struct obstacle *o = &a->obstacles[a->obstacle_count++];
    *o = (struct obstacle){ .rule = need->rule,
                            .title = need->title,
                            .advice = need->advice,
                            .is_wanted = !said || strcmp(said, "true") != 0,
                            .is_required = need->is_required,
                            .comes_at = TIME_NEVER };
    for (int i = 0; i < s->candidates->count; i++)
        o->is_reachable =
            o->is_reachable || fact_set_meets(&need->facts, &s->candidates->items[i].touches);
}

static enum err_code check_decision(struct advice *a, struct record *r, struct err *err)
{
    enum subject_kind kind = SUBJECT_SCHOOL;
    char hint[160];
    int count = 0;
    const char *said = record_said(r, a->decision);

    if (subject_parse(&kind, a->subject, strlen(a->subject), err) != OK)
        return err->code;
    const char *const *names = ruleset_decisions(record_ruleset(r), kind, &count);
    bool is_decision = false;
    for (int i = 0; names && i < count; i++)
        is_decision = is_decision || strcmp(names[i], a->decision) == 0;
    if (!said)
        return record_no_such_rule(r, a->decision, err);
    if (!is_decision && strcmp(said, "true") != 0 && strcmp(said, "false") != 0)
        return err_set(err, ERR_ABSENT, "there is no decision '%s' about a %s%s", a->decision,
                       subject_kind_name(kind),
                       text_hint(hint, sizeof(hint), a->decision, names, (size_t)count));
    if (strcmp(said, "true") != 0 && strcmp(said, "false") != 0 && said[0] != '!')
        return err_set(err, ERR_INPUT,
                       "%s is not a matter of yes or no, but %.60s: nothing can make it true",
                       a->decision, said);
    return OK;
}

static bool keep(const char **out, struct arena *arena, const char *text)
{
    *out = text ? arena_strdup(arena, text) : NULL;
    return *out || !text;
}

/* The words for people. */
static enum err_code keep_words(struct advice *a, struct record *r, struct err *err)
{
    const struct ruleset *rs = record_ruleset(r);
    bool is_kept = record_keep_text(&a->name, a->arena, r, "name") &&
                   keep(&a->title, a->arena, ruleset_title(rs, a->decision));

    for (uint16_t i = 0; i < ruleset_rule_count(rs) && is_kept; i++) {
        struct rule_info rule = ruleset_rule(rs, i);
        if (!rule.is_alert || strcmp(rule.name, a->decision) != 0)
            continue;
        a->is_alert = true;
        is_kept = keep(&a->to_do, a->arena, rule.advice);
    }
    return is_kept ? OK : no_memory(err);
}

/* What the subject is at `at`, and what it takes from there. */
static enum err_code begin(struct search *s, struct err *err)
{
    struct advice *a = s->a;
    struct fold f = { 0 };
    struct buf facts = { 0 };
    const struct json *tree = NULL;
    int64_t wake;

    enum err_code rc = fold_init(&f, a->rules, a->subject, s->items, s->item_count, err);
    if (rc == OK)
        rc = fold_to(&f, a->at, err);
    if (rc == OK)
        rc = record_rejudge(&wake, f.record, a->at, take_nothing, NULL, err);
    if (rc == OK)
        rc = check_decision(a, f.record, err);
    if (rc == OK)
        rc = keep_words(a, f.record, err);
    if (rc == OK)
        rc = record_write_facts(&facts, f.record, err);
    if (rc == OK)
        rc = json_parse(&tree, a->arena, buf_cstr(&facts), facts.len, EVENT_MAX_DEPTH, err);
    if (rc == OK && !candidates_find(s->candidates, a->arena, rulebook_catalog(a->rules),
                                     a->subject, tree, a->decision, a->at))
        rc = no_memory(err);
    a->kinds = s->candidates->kinds;
    if (rc == OK)
        rc = look_at_candidates(s, buf_cstr(&facts), err);
    if (rc == OK) {
        a->is_waivable = record_is_waivable(f.record, a->decision);
        struct obstacles o = { s, f.record };
        record_needs(f.record, a->decision, take_obstacle, &o);
    }
    buf_fini(&facts);
    fold_fini(&f);
    return rc;
}

/* They are folded many times. */
static enum err_code parse_items(struct search *s, struct err *err)
{
    struct item *items = arena_alloc(s->a->arena, (s->item_count + 1) * sizeof(*items));

    if (!items)
        return no_memory(err);
    for (size_t i = 0; i < s->item_count; i++) {
        items[i] = s->items[i];
        if (item_parse(&items[i], s->a->arena, s->a->rules, err) != OK)
            return err->code;
    }
    s->items = items;
    return OK;
}

/* What an event says, behind its id, which is nothing to go by. */
static const char *what_it_says(const char *event)
{
    const char *type = strstr(event, "\"type\":");
    return type ? type : event;
}

static int by_goodness(const void *a, const void *b)
{
    const struct advice_set *x = a, *y = b;
    int order = (x->true_at > y->true_at) - (x->true_at < y->true_at);

    if (order == 0)
        order = x->count - y->count;
    for (int i = 0; order == 0 && i < x->count; i++)
        order = strcmp(what_it_says(x->events[i]), what_it_says(y->events[i]));
    return order;
}

static enum err_code run(struct search *s, struct err *err)
{
    static const int NONE[1];
    struct advice *a = s->a;
    struct tried *empty = NULL;
    int64_t next;
    bool is_new;

    enum err_code rc = world_next_succession(&next, a->world, a->subject, a->at, err);
    s->horizon = next > a->until ? a->until : next - 1; /* what comes with it is another story */
    if (rc == OK)
        rc = world_fold_items(&s->items, &s->item_count, a->world, a->subject, s->horizon, err);
    if (rc == OK)
        rc = parse_items(s, err);
    if (rc == OK)
        rc = begin(s, err);
    if (rc == OK)
        rc = try_set(&empty, &is_new, s, NONE, 0, err);
    if (rc != OK)
        return rc;
    a->true_at = empty->true_at;
    if (a->true_at > a->at && !is_hopeless(a))
        rc = search_sizes(s, empty, err);
    a->is_complete = !s->is_out_of_tries;
    qsort(a->sets, (size_t)a->set_count, sizeof(a->sets[0]), by_goodness);
    return rc;
}

enum err_code advise(struct advice *a, struct err *err)
{
    struct search *s = calloc(1, sizeof(*s));
    struct candidates *candidates = calloc(1, sizeof(*candidates));
    enum err_code rc = s && candidates ? OK : no_memory(err);

    if (rc == OK) {
        s->a = a;
        s->candidates = candidates;
        rc = run(s, err);
        strmap_fini(&s->done);
    }
    free(s);
    free(candidates);
    return rc;
}
