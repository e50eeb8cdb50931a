/* endpoint.c - see webhook.h. */
#include <stdlib.h>
#include <string.h>

#include "webhook.h"

static const char *const STATES[] = { "active", "paused", "disabled" };

bool name_is_good(const char *name)
{
    size_t len = name ? strlen(name) : 0;
    return len > 0 && len <= NAME_MAX_LEN && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

struct endpoint *endpoint_find(struct webhook *w, const char *name)
{
    struct endpoint *e = w->first;

    while (e && strcmp(e->name, name) != 0)
        e = e->next;
    return e;
}

struct endpoint *endpoint_add(struct webhook *w, const char *name)
{
    struct endpoint *e = calloc(1, sizeof(*e)), **at = &w->first;

    if (!e || !(e->name = strdup(name))) {
        free(e);
        return NULL;
    }
    e->webhook = w;
    uv_timer_init(w->loop, &e->timer);
    e->timer.data = e;
    w->handles++;
    while (*at && strcmp((*at)->name, name) < 0)
        at = &(*at)->next;
    e->next = *at;
    *at = e;
    w->count++;
    return e;
}

static void endpoint_free(struct endpoint *e)
{
    for (size_t i = 0; i < e->decision_count; i++)
        free(e->decisions[i]);
    free(e->decisions);
    free(e->name);
    free(e->url);
    free(e->hub);
    free(e->reason);
    free(e);
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct endpoint *e = handle->data;
    struct webhook *w = e->webhook;

    endpoint_free(e);
    webhook_handle_closed(w);
}

void endpoint_remove(struct endpoint *e)
{
    struct endpoint **at = &e->webhook->first;

    while (*at && *at != e)
        at = &(*at)->next;
    if (*at) {
        *at = e->next;
        e->webhook->count--;
    }
    e->is_removed = true;
    if (!e->is_reading &&
        !uv_is_closing((uv_handle_t *)&e->timer)) /* else when that has come back */
        uv_close((uv_handle_t *)&e->timer, on_timer_closed);
}

/* ---- JSON ---- */

static bool read_text(char **out, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    free(*out);
    *out = NULL;
    if (!value || json_is_null(value))
        return true;
    if (!json_is_string(value) || json_string_length(value) != strlen(json_string_value(value)))
        return false;
    *out = strdup(json_string_value(value));
    return *out != NULL;
}

static bool read_decisions(struct endpoint *e, const json_t *list)
{
    size_t count = json_array_size(list);

    if (!list || json_is_null(list) || count == 0)
        return !list || json_is_null(list) || json_is_array(list);
    e->decisions = calloc(count, sizeof(*e->decisions));
    if (!e->decisions)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || !*text || !(e->decisions[i] = strdup(text)))
            return false;
        e->decision_count++;
    }
    return true;
}

bool endpoint_read(struct endpoint *e, const json_t *value)
{
    const char *state = json_string_value(json_object_get(value, "state"));
    const char *uid = json_string_value(json_object_get(value, "uid"));

    if (!read_text(&e->url, value, "url") || !read_text(&e->hub, value, "hub") ||
        !read_text(&e->reason, value, "reason") ||
        !read_decisions(e, json_object_get(value, "decisions")) || !e->url || !state || !uid ||
        strlen(uid) >= sizeof(e->uid))
        return false;
    strcpy(e->uid, uid);
    e->serial = (int)json_integer_value(json_object_get(value, "serial"));
    e->previous_until = json_integer_value(json_object_get(value, "previous_until"));
    e->created = json_integer_value(json_object_get(value, "created"));
    const json_t *from = json_object_get(value, "from");
    e->from = from ? json_integer_value(from) : PW_FROM_HEAD;
    for (size_t i = 0; i < sizeof(STATES) / sizeof(STATES[0]); i++)
        if (strcmp(state, STATES[i]) == 0) {
            e->state = (enum endpoint_state)i;
            return true;
        }
    return false;
}

json_t *endpoint_write(const struct endpoint *e)
{
    json_t *decisions = NULL;

    if (e->decision_count > 0)
        decisions = json_array();
    for (size_t i = 0; i < e->decision_count && decisions; i++)
        json_array_append_new(decisions, json_string(e->decisions[i]));
    return json_pack("{s:s, s:s?, s:o?, s:s, s:s?, s:s, s:i, s:I, s:I, s:I}", "url", e->url, "hub",
                     e->hub, "decisions", decisions, "state", STATES[e->state], "reason", e->reason,
                     "uid", e->uid, "serial", e->serial, "previous_until",
                     (json_int_t)e->previous_until, "created", (json_int_t)e->created, "from",
                     (json_int_t)e->from);
}

enum pw_status endpoint_keep(struct endpoint *e, pw_answer_fn *done, void *arg)
{
    const struct pw_host *host = e->webhook->host;
    json_t *value = endpoint_write(e);
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    enum pw_status status = PW_BUSY;

    json_decref(value);
    if (text)
        status = host->state_set(host->ctx, e->name, text, done, arg);
    free(text);
    if (status != PW_OK)
        webhook_log(e->webhook, 0, "endpoint not kept name=%s", e->name);
    return status;
}
