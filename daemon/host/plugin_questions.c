/* plugin_questions.c - questions that plugins answer for others. Always put from the loop, never
 * inside the asking. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "host/plugin_internal.h"

static struct slot *slot_of(struct plugins *p, const char *name, size_t len)
{
    for (size_t i = 0; i < p->count; i++) {
        const char *own = p->slots[i].plugin->name;
        if (strlen(own) == len && memcmp(own, name, len) == 0)
            return &p->slots[i];
    }
    return NULL;
}

static const struct offer *offer_of(const struct slot *slot, const char *name)
{
    for (size_t i = 0; slot && i < slot->offer_count; i++)
        if (strcmp(slot->offers[i].name, name) == 0)
            return &slot->offers[i];
    return NULL;
}

static void add_question(struct plugins *p, struct pw_question *q)
{
    struct pw_question **at = &p->questions;

    while (*at)
        at = &(*at)->next;
    *at = q;
    plugins_soon(p);
}

/* Why nobody answers, in a sentence. */
static char *nobody(const struct slot *slot, const char *question, size_t plugin_len)
{
    struct buf why = { 0 };
    int len = plugin_len > 64 ? 64 : (int)plugin_len;

    if (!slot)
        buf_printf(&why,
                   "the plugin %.*s is not on; add a section [plugin %.*s] to the configuration "
                   "and restart the daemon",
                   len, question, len, question);
    else if (slot->state != SLOT_RUNNING)
        buf_printf(&why, "the plugin %s is not running%s%s", slot->plugin->name,
                   slot->fault ? ": " : "", slot->fault ? slot->fault : "");
    else
        buf_printf(&why, "the plugin %s answers no question '%.64s'", slot->plugin->name,
                   question + plugin_len + 1);
    return buf_take(&why);
}

enum pw_status question_ask(struct plugins *p, const char *question, const char *params,
                            pw_answer_fn *done, void *arg)
{
    size_t plugin_len = strcspn(question, ".");
    struct slot *slot = slot_of(p, question, plugin_len);
    const struct offer *offer = offer_of(slot, question + plugin_len + 1);
    struct pw_question *q = calloc(1, sizeof(*q));

    if (!q)
        return PW_BUSY;
    *q = (struct pw_question){ .done = done, .arg = arg };
    q->params = strdup(params ? params : "{}");
    if (offer && slot->state == SLOT_RUNNING) {
        q->slot = slot;
        q->offer = offer;
    } else {
        q->why = nobody(slot, question, plugin_len);
    }
    if (!q->params || (!q->slot && !q->why)) {
        free(q->params);
        free(q->why);
        free(q);
        return PW_BUSY;
    }
    add_question(p, q);
    return PW_OK;
}

bool plugin_is_good_name(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    return len > 0 && len <= 64 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

enum pw_status question_offer(struct slot *slot, const char *name, pw_question_fn *fn)
{
    if (!fn || !plugin_is_good_name(name) || slot->state != SLOT_STARTING || offer_of(slot, name))
        return PW_INPUT;
    char *copy = slot->offer_count < OFFERS_MAX ? strdup(name) : NULL;
    if (!copy)
        return PW_LIMIT;
    slot->offers[slot->offer_count++] = (struct offer){ copy, fn };
    return PW_OK;
}

static void question_end(struct pw_question *q, enum pw_status status, const char *text, size_t len)
{
    q->done(q->arg, status, text, len);
    free(q->params);
    free(q->why);
    free(q);
}

static struct pw_question *take_out(struct plugins *p, const struct pw_question *q)
{
    for (struct pw_question **at = &p->questions; *at; at = &(*at)->next)
        if (*at == q) {
            struct pw_question *found = *at;
            *at = found->next;
            return found;
        }
    return NULL;
}

void question_answered(const struct slot *slot, struct pw_question *question, enum pw_status status,
                       const char *text, size_t len)
{
    struct pw_question *q = take_out(slot->plugins, question);

    if (!q) {
        log_err("host: plugin %s answers a question that nobody waits for", slot->plugin->name);
        return;
    }
    question_end(q, status, text ? text : "", text ? len : 0);
}

void questions_put(struct plugins *p)
{
    for (struct pw_question *q = p->questions, *next; q; q = next) {
        next = q->next;
        if (!q->slot) {
            take_out(p, q);
            question_end(q, PW_ABSENT, q->why, strlen(q->why));
            next = p->questions; /* the answer may have done anything */
        } else if (!q->is_put) {
            q->is_put = true;
            const char *before = plugin_enter(q->slot);
            q->offer->fn(q->slot->self, q, q->params);
            loopwatch_enter(p->watch, before);
            next = p->questions;
        }
    }
}

void questions_fail(struct plugins *p, const struct slot *slot)
{
    static const char WHY[] = "the plugin that was asked has stopped";

    for (struct pw_question *q = p->questions, *next; q; q = next) {
        next = q->next;
        if (slot && q->slot != slot)
            continue;
        take_out(p, q);
        question_end(q, PW_BUSY, WHY, sizeof(WHY) - 1);
        next = p->questions;
    }
}
