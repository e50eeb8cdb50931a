/* publish.c - see publish.h. */
#include "engine/publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/crash.h"
#include "base/log.h"
#include "store/derived.h"

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to judge a subject");
}

const char *decision_text(struct arena *arena, const struct judged *j)
{
    struct buf b = { 0 };

    if (!j->is_error)
        return arena_strdup(arena, j->value);
    buf_printf(&b, "{\"error\":%s}", j->value);
    const char *text = b.failed ? NULL : arena_strdup(arena, buf_cstr(&b));
    buf_fini(&b);
    return text;
}

/* One decision, before and after. */
struct pair {
    const char *old_value; /* NULL: there was none */
    const char *new_value; /* NULL: there is none any more */
};
struct comparison {
    struct publication *p;
    struct strmap pairs; /* by decision */
    bool is_empty;       /* judging the empty record that a new subject is compared with */
    bool is_live;        /* the record itself knows what was before */
    bool failed;
};

static struct pair *pair_of(struct comparison *c, const char *name)
{
    struct strmap_item *item = strmap_find(&c->pairs, name, strlen(name));

    if (!item) {
        const char *key = arena_strdup(&c->p->arena, name);
        item = key ? strmap_add(&c->pairs, key, strlen(key), NULL) : NULL;
        if (item)
            item->as.ptr = arena_alloc(&c->p->arena, sizeof(struct pair));
    }
    c->failed = c->failed || !item || !item->as.ptr;
    return c->failed ? NULL : item->as.ptr;
}

static enum err_code take_old(const char *name, const char *value, void *arg, struct err *err)
{
    struct comparison *c = arg;
    struct pair *pair = pair_of(c, name);

    if (pair)
        pair->old_value = arena_strdup(&c->p->arena, value);
    return pair && pair->old_value ? OK : no_memory(err);
}

static void take_judged(const struct judged *j, void *arg)
{
    struct comparison *c = arg;
    struct pair *pair = pair_of(c, j->name);
    const char *value = pair ? decision_text(&c->p->arena, j) : NULL;

    if (!value) {
        c->failed = true;
    } else if (c->is_empty) {
        pair->old_value = value;
    } else {
        struct judged old = { .value = j->old_value, .is_error = j->old_is_error };
        pair->new_value = value;
        if (c->is_live && j->old_value)
            pair->old_value = decision_text(&c->p->arena, &old);
    }
}

static enum err_code judge_empty(struct comparison *c, const char *subject, struct err *err)
{
    struct record *empty = NULL;

    enum err_code rc = record_new(&empty, c->p->rules, subject, err);
    c->is_empty = true;
    if (rc == OK)
        rc = record_judge(empty, c->p->now, take_judged, c, err);
    c->is_empty = false;
    record_free(empty);
    return rc;
}

/* {"source":...,"id":...},...: in the order in which they came. */
static void write_events(struct buf *b, const struct cause *causes)
{
    struct cause const *newest_first[1024];
    int count = 0;

    for (; causes && count < 1024; causes = causes->next)
        newest_first[count++] = causes;
    for (int i = count; i-- > 0;) {
        buf_str(b, i == count - 1 ? "{\"source\":" : ",{\"source\":");
        json_write_cstr(b, newest_first[i]->source);
        buf_str(b, ",\"id\":");
        json_write_cstr(b, newest_first[i]->id);
        buf_char(b, '}');
    }
}

/* {"events":[...],"moment":...,"generation":...}; `earlier`: events of commits that left it for later. */
static const char *write_cause(struct publication *p, const struct cause *causes,
                               const char *earlier, int64_t moment)
{
    struct buf b = { 0 };
    char time[TIME_TEXT];

    buf_str(&b, "{\"events\":[");
    if (earlier)
        buf_printf(&b, "%s%s", earlier, causes ? "," : "");
    write_events(&b, causes);
    buf_str(&b, "],\"moment\":");
    json_write_cstr(&b, moment == TIME_NEVER ? NULL : time_text(moment, time));
    if (p->is_new_generation)
        buf_printf(&b, ",\"generation\":%lld}", (long long)p->generation);
    else
        buf_str(&b, ",\"generation\":null}");
    const char *text = b.failed ? NULL : arena_strdup(&p->arena, buf_cstr(&b));
    buf_fini(&b);
    return text;
}

static enum err_code write_pair(struct publication *p, const char *subject, const char *name,
                                const struct pair *pair, bool is_new, const char *hub,
                                const char *cause, struct err *err)
{
    bool changed =
        !pair->old_value || !pair->new_value || strcmp(pair->old_value, pair->new_value) != 0;
    enum err_code rc = OK;
    int64_t seq;

    if (!pair->new_value)
        rc = decision_remove(p->store, subject, name, err);
    else if (changed || is_new)
        rc = decision_put(p->store, subject, name, pair->new_value, err);
    if (rc != OK || !changed)
        return rc;
    struct change change = {
        .recorded = p->recorded,
        .generation = p->generation,
        .subject = subject,
        .decision = name,
        .old_value = pair->old_value ? pair->old_value : "null",
        .new_value = pair->new_value ? pair->new_value : "null",
        .hub = hub,
        .cause = cause,
    };
    p->changes++;
    crash_point("feed");
    return feed_append(&seq, p->store, &change, err);
}

/* ---- names, hub and former URNs: what lists show and search ---- */

/* Schools through which events came that the subject has taken over. */
static void write_former(struct buf *out, const struct item *items, size_t count,
                         const char *subject)
{
    const char *last = subject;

    for (size_t i = 0; i < count; i++) {
        for (int a = 0; a < items[i].as_count; a++) {
            const char *as = items[i].as[a];
            if (strcmp(as, subject) == 0 || strcmp(as, last) == 0)
                continue;
            last = as;
            if (!strstr(buf_cstr(out), subject_code(as)))
                buf_printf(out, "%s%s", out->len ? " " : "", subject_code(as));
        }
    }
}

/* Put a fact's text into *kept; true when it is another one than before. */
static bool take_text(char **kept, struct record *r, const char *fact)
{
    struct buf text = { 0 };
    char *now = record_text_fact(&text, r, fact) ? buf_take(&text) : NULL;
    bool changed = (now == NULL) != (*kept == NULL) || (now && strcmp(now, *kept) != 0);

    buf_fini(&text);
    free(*kept);
    *kept = now;
    return changed;
}

static enum err_code write_card(struct publication *p, struct live *l, bool is_rebuilt,
                                struct err *err)
{
    struct buf former = { 0 };
    const struct item *items = NULL;
    size_t count = 0;
    enum err_code rc = OK;

    bool changed = take_text(&l->name, l->fold.record, "name");
    changed = take_text(&l->hub, l->fold.record, "hub") || changed;
    if (!changed && !is_rebuilt)
        return OK;
    rc = world_fold_items(&items, &count, p->world, l->subject, p->now, err);
    write_former(&former, items, count, l->subject);
    struct subject_card card = { .subject = l->subject,
                                 .name = l->name,
                                 .hub = l->hub,
                                 .former = former.len ? buf_cstr(&former) : NULL };
    if (rc == OK)
        rc = subject_put(p->store, &card, err);
    buf_fini(&former);
    return rc;
}

/* ---- one subject ---- */

static int by_event_order(const void *a, const void *b)
{
    const struct event *x = *(const struct event *const *)a, *y = *(const struct event *const *)b;
    struct event_key kx = { x->time, x->sequence, x->source, x->id };
    struct event_key ky = { y->time, y->sequence, y->source, y->id };
    return event_key_compare(&kx, &ky);
}

/* Can the live record follow what is new, or must it be folded from the log? */
static bool must_rebuild(const struct publication *p, const struct live *l,
                         const struct concern *concern)
{
    return !l || !RECORD_TRACKING || concern->must_refold ||
           !live_can_take(l, concern->events, concern->count, p->now);
}

/* Bring the live record up to now. *is_rebuilt says whether it is to be, and at the end whether it was. */
static enum err_code bring_up(struct live **l, bool *is_rebuilt, struct publication *p,
                              const char *subject, struct concern *concern, struct err *err)
{
    if (!*is_rebuilt) {
        enum err_code rc = live_take(*l, concern->events, concern->count, p->now, err);
        if (rc != ERR_RULE && rc != ERR_CONFLICT)
            return rc;
        *is_rebuilt = true;
    }
    p->refolds++;
    enum err_code rc = live_build(l, p->cache, p->rules, p->world, subject, p->now, err);
    if (rc == OK)
        p->folded += (*l)->fold_events;
    return rc;
}

static void tell_faults(const struct live *l)
{
    for (const struct fault *fault = l->fold.faults; fault; fault = fault->next)
        log_warn("fold: rule failed subject=%s event_seq=%lld error=\"%s\"", l->subject,
                 (long long)fault->seq, fault->message);
}

/* Judge, compare, store, tell. *wake: when a rule may say something else. */
static enum err_code publish_live(struct publication *p, struct live *l, bool is_rebuilt,
                                  const struct cause *causes, int64_t *wake, struct err *err)
{
    struct comparison c = { .p = p, .is_live = !is_rebuilt };
    const char *cause = NULL;
    char *earlier = NULL;
    bool is_new = false;
    int64_t due;

    enum err_code rc = is_rebuilt ? decision_each(p->store, l->subject, take_old, &c, err) : OK;
    if (rc == OK && is_rebuilt && c.pairs.count == 0) {
        is_new = true;
        rc = judge_empty(&c, l->subject, err);
    }
    if (rc == OK)
        rc = record_rejudge(wake, l->fold.record, p->now, take_judged, &c, err);
    if (rc == OK)
        rc = wake_of(&due, p->store, l->subject, err);
    if (rc == OK)
        rc = write_card(p, l, is_rebuilt, err);
    if (rc == OK)
        rc = pending_take(&earlier, p->store, l->subject, err);
    /* What was left for later was due at once, which is no moment that changed anything. */
    int64_t moment = rc == OK && due <= p->now && !earlier ? due : TIME_NEVER;
    if (rc == OK && (c.failed || !(cause = write_cause(p, causes, earlier, moment))))
        rc = no_memory(err);
    for (uint32_t i = 0; i < c.pairs.count && rc == OK; i++)
        rc = write_pair(p, l->subject, c.pairs.items[i].key, c.pairs.items[i].as.ptr, is_new,
                        l->hub, cause, err);
    strmap_fini(&c.pairs);
    free(earlier);
    return rc;
}

/* ---- what is left for later ---- */

static bool must_wait(const struct publication *p, const char *subject, bool is_rebuilt)
{
    if (p->only)
        return !strmap_find(p->only, subject, strlen(subject));
    return is_rebuilt && p->folded >= p->fold_budget;
}

static enum err_code defer(struct publication *p, const char *subject, struct concern *concern,
                           struct err *err)
{
    struct live *l = live_find(p->cache, subject);
    struct buf causes = { 0 };

    if (l)
        live_drop(p->cache, l);
    p->deferred++;
    concern->is_left = true;
    write_events(&causes, concern->causes);
    enum err_code rc = causes.failed ? no_memory(err) : wake_put(p->store, subject, p->now, err);
    if (rc == OK && causes.len > 0)
        rc = pending_add(p->store, subject, buf_cstr(&causes), err);
    buf_fini(&causes);
    return rc;
}

enum err_code publish_subject(struct publication *p, const char *subject, struct concern *concern,
                              struct err *err)
{
    struct live *l = live_find(p->cache, subject);
    int64_t wake = TIME_NEVER;

    crash_point("fold");
    if (concern->count > 1)
        qsort(concern->events, concern->count, sizeof(*concern->events), by_event_order);
    bool is_rebuilt = must_rebuild(p, l, concern);
    if (must_wait(p, subject, is_rebuilt))
        return defer(p, subject, concern, err);
    enum err_code rc = bring_up(&l, &is_rebuilt, p, subject, concern, err);
    if (rc != OK)
        return rc;
    crash_point("judge");
    if (l->last.id) /* else all of it lies ahead: nothing has happened to this subject yet */
        rc = publish_live(p, l, is_rebuilt, concern->causes, &wake, err);
    if (is_rebuilt)
        tell_faults(l);
    if (fold_next(&l->fold) < wake)
        wake = fold_next(&l->fold);
    if (l->ahead < wake)
        wake = l->ahead;
    return rc == OK ? wake_put(p->store, subject, wake, err) : rc;
}

void publication_fini(struct publication *p)
{
    arena_fini(&p->arena);
}
