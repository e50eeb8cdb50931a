/* answers.c - see answers.h. */
#include "answers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void refuse(const struct webhook *w, struct pw_question *q, enum pw_status status, const char *fmt,
            ...)
{
    char why[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    w->host->answer(w->host->ctx, q, status, why, strlen(why));
}

void answer(const struct webhook *w, struct pw_question *q, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

    json_decref(value);
    if (text)
        w->host->answer(w->host->ctx, q, PW_OK, text, strlen(text));
    else
        refuse(w, q, PW_FAILED, "no memory for the answer");
    free(text);
}

/* ---- questions that come before the webhooks have been read ---- */

struct early {
    struct early *next;
    struct pw_question *question;
    pw_question_fn *fn;
    char *params;
};

bool must_wait(struct webhook *w, struct pw_question *q, const char *params, pw_question_fn *fn)
{
    struct early **at = &w->early;

    if (w->is_loaded && !w->is_stopping)
        return false;
    struct early *e = w->is_stopping ? NULL : calloc(1, sizeof(*e));
    if (!e || !(e->params = strdup(params))) {
        free(e);
        refuse(w, q, PW_BUSY, "the daemon is stopping, or has no memory");
        return true;
    }
    e->question = q;
    e->fn = fn;
    while (*at)
        at = &(*at)->next;
    *at = e;
    return true;
}

void questions_go_on(struct webhook *w)
{
    while (w->early) {
        struct early *e = w->early;
        w->early = e->next;
        e->fn(w, e->question, e->params);
        free(e->params);
        free(e);
    }
}

/* ---- parameters ---- */

static bool is_listed(const char *key, const char *const *known)
{
    while (*known && strcmp(*known, key) != 0)
        known++;
    return *known != NULL;
}

json_t *read_params(const struct webhook *w, struct pw_question *q, const char *text,
                    const char *const *known)
{
    json_error_t why;
    json_t *params = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    const char *key;
    json_t *value;

    if (!params || !json_is_object(params)) {
        refuse(w, q, PW_INPUT, "the parameters are no JSON object: %s", params ? "" : why.text);
        json_decref(params);
        return NULL;
    }
    json_object_foreach(params, key, value)
    {
        if (is_listed(key, known))
            continue;
        char names[200] = "";
        for (const char *const *k = known; *k; k++)
            snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
                     k == known ? "" : ", ", *k);
        refuse(w, q, PW_INPUT, "unknown parameter '%.64s'; expected %s", key,
               *names ? names : "none");
        json_decref(params);
        return NULL;
    }
    return params;
}

/* With the names that there are: one of them was meant. */
static void refuse_name(struct webhook *w, struct pw_question *q, const char *name)
{
    char known[300] = "";
    size_t used = 0;

    for (const struct endpoint *e = w->first; e && used < sizeof(known) - NAME_MAX_LEN - 3;
         e = e->next)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", used > 0 ? ", " : "",
                                 e->name);
    refuse(w, q, PW_ABSENT, "there is no webhook '%.64s'; there %s%s", name,
           w->first ? "are: " : "is none at all", known);
}

struct endpoint *named(struct webhook *w, struct pw_question *q, const json_t *params)
{
    const char *name = json_string_value(json_object_get(params, "name"));
    struct endpoint *e = name ? endpoint_find(w, name) : NULL;

    if (!name)
        refuse(w, q, PW_INPUT, "name: found nothing, expected a webhook's name");
    else if (!e)
        refuse_name(w, q, name);
    return e;
}

/* ---- an answer that waits until what was changed is on disk ---- */

struct kept {
    struct kept *next;
    struct webhook *webhook;
    struct pw_question *question;
    json_t *value;
};

void kept_free(struct kept *k)
{
    struct kept **at = &k->webhook->kept;

    while (*at && *at != k)
        at = &(*at)->next;
    if (*at)
        *at = k->next;
    json_decref(k->value);
    free(k);
}

struct kept *kept_new(struct webhook *w, struct pw_question *q, json_t *value)
{
    struct kept *k = calloc(1, sizeof(*k));

    if (!k) {
        json_decref(value);
        return NULL;
    }
    *k = (struct kept){ w->kept, w, q, value };
    w->kept = k;
    return k;
}

void kept_drop(struct webhook *w)
{
    while (w->kept)
        kept_free(w->kept);
}

void kept_done(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct kept *k = arg;

    if (status == PW_OK)
        answer(k->webhook, k->question, json_incref(k->value));
    else
        refuse(k->webhook, k->question, status, "%.*s", (int)len, text);
    kept_free(k);
}

void keep_and_answer(struct endpoint *e, struct pw_question *q, json_t *value)
{
    struct kept *k = value ? kept_new(e->webhook, q, value) : NULL;

    if (k && endpoint_keep(e, kept_done, k) == PW_OK)
        return;
    if (k)
        kept_free(k);
    refuse(e->webhook, q, PW_BUSY, "it could not be kept; try again");
}
