/* publish.c - see publish.h. */
#include "engine/publish.h"

#include <string.h>

#include "base/civil.h"
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
    int64_t wake;
    bool is_empty; /* judging the empty record that a new subject is compared with */
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

    if (!value)
        c->failed = true;
    else if (c->is_empty)
        pair->old_value = value;
    else
        pair->new_value = value;
    if (!c->is_empty && j->wake < c->wake)
        c->wake = j->wake;
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

/* {"events":[{"source","id"}...],"moment":...,"generation":...} */
static const char *write_cause(struct publication *p, const struct cause *causes, int64_t moment)
{
    struct buf b = { 0 };
    char time[TIME_TEXT];
    struct cause const *oldest_first[1024];
    int count = 0;

    for (; causes && count < 1024; causes = causes->next)
        oldest_first[count++] = causes;
    buf_str(&b, "{\"events\":[");
    for (int i = count; i-- > 0;) {
        buf_str(&b, i == count - 1 ? "{\"source\":" : ",{\"source\":");
        json_write_cstr(&b, oldest_first[i]->source);
        buf_str(&b, ",\"id\":");
        json_write_cstr(&b, oldest_first[i]->id);
        buf_char(&b, '}');
    }
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
    return feed_append(&seq, p->store, &change, err);
}

/* Names, hub and former URNs of a subject: what lists show and search. */
static enum err_code write_card(struct publication *p, const char *subject, struct fold *f,
                                const char **hub, struct err *err)
{
    struct buf name = { 0 }, hub_text = { 0 }, former = { 0 };
    const char *last = subject;

    bool has_name = record_text_fact(&name, f->record, "name");
    bool has_hub = record_text_fact(&hub_text, f->record, "hub");
    for (size_t i = 0; i < f->count; i++) {
        const struct item *item = &f->items[i];
        for (int a = 0; a < item->as_count; a++) {
            if (strcmp(item->as[a], subject) == 0 || strcmp(item->as[a], last) == 0)
                continue;
            last = item->as[a];
            if (!strstr(buf_cstr(&former), subject_code(last)))
                buf_printf(&former, "%s%s", former.len ? " " : "", subject_code(last));
        }
    }
    *hub = has_hub ? arena_strdup(&p->arena, buf_cstr(&hub_text)) : NULL;
    struct subject_card card = { .subject = subject,
                                 .name = has_name ? buf_cstr(&name) : NULL,
                                 .hub = *hub,
                                 .former = former.len ? buf_cstr(&former) : NULL };
    enum err_code rc = subject_put(p->store, &card, err);
    buf_fini(&name);
    buf_fini(&hub_text);
    buf_fini(&former);
    return rc;
}

/* Compare, store, tell. The fold stands at now. */
static enum err_code publish_fold(struct publication *p, const char *subject, struct fold *f,
                                  const struct cause *causes, int64_t *wake, struct err *err)
{
    struct comparison c = { .p = p, .wake = fold_next(f) };
    const char *hub = NULL, *cause = NULL;
    int64_t due;

    enum err_code rc = decision_each(p->store, subject, take_old, &c, err);
    bool is_new = c.pairs.count == 0;
    if (rc == OK && is_new)
        rc = judge_empty(&c, subject, err);
    if (rc == OK)
        rc = record_judge(f->record, p->now, take_judged, &c, err);
    if (rc == OK)
        rc = wake_of(&due, p->store, subject, err);
    if (rc == OK)
        rc = write_card(p, subject, f, &hub, err);
    if (rc == OK &&
        (c.failed || !(cause = write_cause(p, causes, due <= p->now ? due : TIME_NEVER))))
        rc = no_memory(err);
    for (uint32_t i = 0; i < c.pairs.count && rc == OK; i++)
        rc = write_pair(p, subject, c.pairs.items[i].key, c.pairs.items[i].as.ptr, is_new, hub,
                        cause, err);
    *wake = c.wake;
    strmap_fini(&c.pairs);
    return rc;
}

static void tell_faults(struct publication *p, const char *subject, const struct fold *f)
{
    for (const struct fault *fault = f->faults; fault; fault = fault->next) {
        p->faults++;
        log_warn("fold: rule failed subject=%s event_seq=%lld error=\"%s\"", subject,
                 (long long)fault->seq, fault->message);
    }
}

enum err_code publish_subject(struct publication *p, const char *subject,
                              const struct cause *causes, struct err *err)
{
    const struct entry *const *touching;
    size_t count, i = 0;
    struct fold f = { 0 };
    int64_t wake = TIME_NEVER, ahead;
    enum err_code rc = OK;

    if (world_touching(&touching, &count, p->world, subject, err) != OK)
        return err->code;
    while (i < count && touching[i]->key.time <= p->now)
        i++;
    ahead = i < count ? touching[i]->key.time : TIME_NEVER;
    if (i > 0) { /* else all of it lies ahead: nothing has happened to this subject yet */
        rc = fold_subject(&f, p->rules, p->world, subject, p->now, err);
        if (rc == OK)
            rc = publish_fold(p, subject, &f, causes, &wake, err);
        tell_faults(p, subject, &f);
        fold_fini(&f);
    }
    return rc == OK ? wake_put(p->store, subject, ahead < wake ? ahead : wake, err) : rc;
}

void publication_fini(struct publication *p)
{
    arena_fini(&p->arena);
}
