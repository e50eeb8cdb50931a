/* plugins.c - see plugins.h. A plugin's struct pw_host.ctx is its slot here. */
#include "host/plugins.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "host/plugin_internal.h"

#define STOP_MS 10000

/* Of another ABI nothing but its version may be looked at. */
static enum err_code check_abi(const struct pw_plugin *p, const char *name, const char *where,
                               struct err *err)
{
    if (p->abi_major == PW_ABI_MAJOR && p->abi_minor <= PW_ABI_MINOR) {
        if (!p->name || strcmp(p->name, name) != 0)
            return err_set(err, ERR_INPUT, "%s holds the plugin '%s', expected '%s'; rename it",
                           where, p->name ? p->name : "", name);
        if (!p->keys || !p->start || !p->stop)
            return err_set(err, ERR_INPUT, "%s is no whole plugin: it has no %s", where,
                           !p->keys    ? "list of keys"
                           : !p->start ? "start()"
                                       : "stop()");
        return OK;
    }
    return err_set(err, ERR_CONFLICT,
                   "%s was made for plugin ABI %u.%u, this daemon has %u.%u; build it again", where,
                   p->abi_major, p->abi_minor, PW_ABI_MAJOR, PW_ABI_MINOR);
}

/* Never closed again: its threads or static data may outlive our use of it. */
static enum err_code load_shared(const struct pw_plugin **out, const char *name, const char *path,
                                 struct err *err)
{
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!lib)
        return err_set(err, ERR_IO, "can not load the plugin %s: %s", path, dlerror());
    *out = dlsym(lib, "pathway_plugin");
    if (!*out)
        return err_set(err, ERR_IO, "%s exports no pathway_plugin, so it is no plugin", path);
    return check_abi(*out, name, path, err);
}

static enum err_code no_such(const struct plugin_source *from, const char *name, struct err *err)
{
    const char *known[PLUGINS_MAX];
    size_t count = 0;
    char hint[128];

    for (const struct pw_plugin *const *p = from->linked; *p && count < PLUGINS_MAX; p++)
        known[count++] = (*p)->name;
    return err_set(err, ERR_ABSENT, "there is no plugin '%s' here or in %s%s", name, from->dir,
                   text_hint(hint, sizeof(hint), name, known, count));
}

enum err_code plugin_find(const struct pw_plugin **out, const struct plugin_source *from,
                          const char *name, struct err *err)
{
    char path[4096];

    *out = NULL;
    for (const struct pw_plugin *const *p = from->linked; *p; p++)
        if (strcmp((*p)->name, name) == 0) {
            *out = *p;
            return check_abi(*p, name, name, err);
        }
    if (!*name || strchr(name, '/') || name[0] == '.')
        return no_such(from, name, err);
    snprintf(path, sizeof(path), "%s/%s.so", from->dir, name);
    return access(path, F_OK) == 0 ? load_shared(out, name, path, err) : no_such(from, name, err);
}

/* --- starting --- */

static void note_fault(struct plugins *p, const char *name, const char *reason)
{
    struct fault *f = &p->faults[p->fault_count];

    if (p->fault_count == PLUGINS_MAX)
        return;
    *f = (struct fault){ strdup(name), strdup(reason) };
    if (f->name && f->reason) {
        p->fault_count++;
        return;
    }
    free(f->name);
    free(f->reason);
}

static void forget_offers(struct slot *slot)
{
    for (size_t i = 0; i < slot->offer_count; i++)
        free(slot->offers[i].name);
    slot->offer_count = 0;
}

static enum err_code start_one(struct plugins *p, const struct config_section *section,
                               const struct plugin_source *from, struct err *err)
{
    char why[512] = "it gave no reason";

    if (p->count == PLUGINS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d plugins", PLUGINS_MAX);
    struct slot *slot = &p->slots[p->count];
    *slot = (struct slot){ .plugins = p, .section = section, .state = SLOT_STARTING };
    if (plugin_find(&slot->plugin, from, config_plugin_name(section), err) != OK)
        return err->code;
    plugin_host_fill(slot);
    const char *before = plugin_enter(slot);
    int rc = slot->plugin->start(&slot->host, &slot->self, why, sizeof(why));
    loopwatch_enter(p->watch, before);
    if (rc != 0) {
        forget_offers(slot);
        slot->state = SLOT_STOPPED;
        why[sizeof(why) - 1] = '\0';
        return err_set(err, ERR_IO, "plugin %s can not start: %s", slot->plugin->name, why);
    }
    if (slot->state == SLOT_STARTING)
        slot->state = SLOT_RUNNING;
    p->count++;
    return OK;
}

static bool is_required(const struct config_section *section)
{
    const char *value = config_value(section, "required");
    return value && strcmp(value, "yes") == 0;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static enum err_code make_parts(struct plugins *p, uv_loop_t *loop, struct service *s,
                                const struct config *c, struct err *err)
{
    p->loop = loop;
    p->service = s;
    p->config = c;
    uv_timer_init(loop, &p->soon);
    uv_timer_init(loop, &p->deadline);
    p->soon.data = p->deadline.data = p;
    p->folder = folder_of(c->database);
    if (!p->folder)
        return err_set(err, ERR_LIMIT, "no memory for the plugins");
    if (keeper_new(&p->keeper, loop, s, err) != OK ||
        consumers_new(&p->consumers, s, p->keeper, err) != OK ||
        loopwatch_start(&p->watch, loop, err) != OK)
        return err->code;
    return OK;
}

enum err_code plugins_start(struct plugins **out, uv_loop_t *loop, struct service *s,
                            const struct config *c, const struct plugin_source *from,
                            struct err *err)
{
    size_t wanted = 0;
    struct err why = { 0 };

    struct plugins *p = *out = calloc(1, sizeof(*p));
    if (!p)
        return err_set(err, ERR_LIMIT, "no memory for the plugins");
    if (make_parts(p, loop, s, c, err) != OK)
        return err->code;
    for (const struct config_section *section = c->sections; section; section = section->next) {
        const char *name = config_plugin_name(section);
        if (!name)
            continue;
        wanted++;
        if (start_one(p, section, from, &why) == OK)
            continue;
        log_err("host: %s", why.msg);
        note_fault(p, name, why.msg);
        if (is_required(section))
            return err_set(err, ERR_IO, "the required plugin %s did not start", name);
    }
    if (p->count > 0)
        return OK;
    return err_set(err, ERR_IO,
                   wanted > 0 ? "no plugin started, so nothing could reach the daemon"
                              : "no plugin is on, so nothing could reach the daemon; add a "
                                "section such as [plugin http]");
}

void plugins_on_required_failed(struct plugins *p, void (*failed)(void *arg), void *arg)
{
    p->required_failed = failed;
    p->required_arg = arg;
}

/* --- running --- */

void plugins_ready(struct plugins *p)
{
    consumers_head(p->consumers, service_head(p->service));
    consumers_load(p->consumers);
    early_go_on(p, NULL);
}

void plugins_reload(struct plugins *p, struct reread *told)
{
    char why[512];

    for (size_t i = 0; i < p->count; i++) {
        const struct slot *slot = &p->slots[i];
        if (slot->state != SLOT_RUNNING || !slot->plugin->reload)
            continue;
        snprintf(why, sizeof(why), "it gave no reason");
        const char *before = plugin_enter(slot);
        int rc = slot->plugin->reload(slot->self, why, sizeof(why));
        loopwatch_enter(p->watch, before);
        why[sizeof(why) - 1] = '\0';
        if (rc != 0)
            log_err("host: plugin %s not reloaded error=%s", slot->plugin->name, why);
        reread_note(told, slot->plugin->name, rc != 0 ? why : NULL, service_now(p->service));
    }
}

void plugins_changed(struct plugins *p, int64_t feed_seq)
{
    consumers_head(p->consumers, feed_seq);
    for (size_t i = 0; i < p->count; i++) {
        const struct slot *slot = &p->slots[i];
        if (slot->state != SLOT_RUNNING || !slot->plugin->changed)
            continue;
        const char *before = plugin_enter(slot);
        slot->plugin->changed(slot->self, feed_seq);
        loopwatch_enter(p->watch, before);
    }
}

static void write_fault(struct buf *out, const char *separator, const char *name,
                        const char *reason)
{
    buf_printf(out, "%s{\"name\":", separator);
    json_write_cstr(out, name);
    buf_str(out, ",\"reason\":");
    json_write_cstr(out, reason);
    buf_char(out, '}');
}

void plugins_consumers(const struct plugins *p, struct buf *out)
{
    consumers_describe(p->consumers, out);
}

void plugins_describe(const struct plugins *p, struct buf *out)
{
    const char *separator = "";

    buf_str(out, "\"plugins\":[");
    for (size_t i = 0; i < p->count; i++) {
        if (p->slots[i].fault)
            continue;
        buf_str(out, separator);
        json_write_cstr(out, p->slots[i].plugin->name);
        separator = ",";
    }
    buf_str(out, "],\"plugin_faults\":[");
    separator = "";
    for (size_t i = 0; i < p->fault_count; i++, separator = ",")
        write_fault(out, separator, p->faults[i].name, p->faults[i].reason);
    for (size_t i = 0; i < p->count; i++) {
        if (!p->slots[i].fault)
            continue;
        write_fault(out, separator, p->slots[i].plugin->name, p->slots[i].fault);
        separator = ",";
    }
    buf_str(out, "],\"consumers\":");
    consumers_describe(p->consumers, out);
}

void plugins_measure(struct plugins *p, struct buf *out)
{
    buf_str(out, "# HELP pathwayd_plugin_up Whether a plugin that is on runs\n"
                 "# TYPE pathwayd_plugin_up gauge\n");
    for (size_t i = 0; i < p->fault_count; i++)
        buf_printf(out, "pathwayd_plugin_up{plugin=\"%s\"} 0\n", p->faults[i].name);
    for (size_t i = 0; i < p->count; i++)
        buf_printf(out, "pathwayd_plugin_up{plugin=\"%s\"} %d\n", p->slots[i].plugin->name,
                   p->slots[i].state == SLOT_RUNNING);
    loopwatch_measure(p->watch, out);
    consumers_measure(p->consumers, out);
    for (size_t i = 0; i < p->count; i++)
        plugin_measure(&p->slots[i], out);
}

/* --- stopping --- */

static void stop_next(struct plugins *p);

static void on_stopped(void *arg)
{
    struct slot *slot = arg;
    struct plugins *p = slot->plugins;

    if (slot->state == SLOT_STOPPED) /* it came after the host had gone on without it, or twice */
        return;
    slot->state = SLOT_STOPPED;
    questions_fail(p, slot);
    consumers_close(p->consumers, slot->plugin->name);
    if (p->is_stopping && p->stopping == slot)
        stop_next(p);
}

static void stop_slot(struct slot *slot)
{
    slot->state = SLOT_STOPPING;
    const char *before = plugin_enter(slot);
    slot->plugin->stop(slot->self, on_stopped, slot);
    loopwatch_enter(slot->plugins->watch, before);
}

static void give_up(struct slot *slot)
{
    struct plugins *p = slot->plugins;

    log_err("host: plugin %s gave up: %s", slot->plugin->name,
            slot->fault ? slot->fault : "it gave no reason");
    bool required = is_required(slot->section);
    stop_slot(slot);
    if (required && p->required_failed)
        p->required_failed(p->required_arg);
}

static void on_soon(uv_timer_t *timer)
{
    struct plugins *p = timer->data;

    questions_put(p);
    for (size_t i = 0; i < p->count; i++)
        if (p->slots[i].state == SLOT_GIVING_UP)
            give_up(&p->slots[i]);
}

void plugins_soon(struct plugins *p)
{
    if (!uv_is_closing((uv_handle_t *)&p->soon))
        uv_timer_start(&p->soon, on_soon, 0, 0);
}

static void on_deadline_closed(uv_handle_t *handle)
{
    struct plugins *p = handle->data;
    p->stopped(p->stopped_arg);
}

static void on_soon_closed(uv_handle_t *handle)
{
    struct plugins *p = handle->data;
    uv_close((uv_handle_t *)&p->deadline, on_deadline_closed);
}

static void close_timers(void *arg)
{
    struct plugins *p = arg;
    uv_close((uv_handle_t *)&p->soon, on_soon_closed);
}

static void stop_watch(void *arg)
{
    struct plugins *p = arg;

    if (p->watch)
        loopwatch_stop(p->watch, close_timers, p);
    else
        close_timers(p);
}

static void on_deadline(uv_timer_t *timer)
{
    struct plugins *p = timer->data;
    struct slot *slot = p->stopping;

    log_err("host: plugin %s did not stop in %d s; the daemon goes on without it",
            slot->plugin->name, STOP_MS / 1000);
    p->has_lost = true;
    on_stopped(slot);
}

static void stop_next(struct plugins *p)
{
    size_t left = p->count;

    while (left > 0 && p->slots[left - 1].state == SLOT_STOPPED)
        left--;
    uv_timer_stop(&p->deadline);
    if (left == 0) {
        p->stopping = NULL;
        questions_fail(p, NULL);
        if (p->keeper)
            keeper_stop(p->keeper, stop_watch, p);
        else
            stop_watch(p);
        return;
    }
    p->stopping = &p->slots[left - 1];
    uv_timer_start(&p->deadline, on_deadline, STOP_MS, 0);
    if (p->stopping->state != SLOT_STOPPING)
        stop_slot(p->stopping);
}

void plugins_stop(struct plugins *p, void (*done)(void *arg), void *arg)
{
    p->is_stopping = true;
    p->stopped = done;
    p->stopped_arg = arg;
    early_go_on(p, "the daemon is stopping"); /* plugins may wait for it before they stop */
    if (p->consumers)
        consumers_stop(p->consumers);
    stop_next(p);
}

bool plugins_have_lost(const struct plugins *p)
{
    return p && p->has_lost;
}

void plugins_free(struct plugins *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->fault_count; i++) {
        free(p->faults[i].name);
        free(p->faults[i].reason);
    }
    for (size_t i = 0; i < p->count; i++) {
        forget_offers(&p->slots[i]);
        free(p->slots[i].fault);
    }
    consumers_free(p->consumers);
    keeper_free(p->keeper);
    loopwatch_free(p->watch);
    free(p->folder);
    free(p);
}
