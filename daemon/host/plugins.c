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

#define PLUGINS_MAX 16

struct slot {
    struct plugins *plugins;
    const struct pw_plugin *plugin;
    const struct config_section *section;
    struct pw_host host; /* the table it was given */
    void *self;
};

struct plugins {
    struct slot slots[PLUGINS_MAX]; /* started ones, in order */
    size_t count;
    uv_loop_t *loop;             /* borrowed */
    struct service *service;     /* borrowed */
    const struct config *config; /* borrowed */
    void (*stopped)(void *arg);
    void *stopped_arg;
};

static enum err_code check_abi(const struct pw_plugin *p, const char *where, struct err *err)
{
    if (p->abi_major == PW_ABI_MAJOR && p->abi_minor <= PW_ABI_MINOR)
        return OK;
    return err_set(err, ERR_CONFLICT,
                   "%s was made for plugin ABI %u.%u, this daemon has %u.%u; build it again", where,
                   p->abi_major, p->abi_minor, PW_ABI_MAJOR, PW_ABI_MINOR);
}

/* Never closed again: its threads or static data may outlive our use of it. */
static enum err_code load_shared(const struct pw_plugin **out, const char *path, struct err *err)
{
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!lib)
        return err_set(err, ERR_IO, "can not load the plugin %s: %s", path, dlerror());
    *out = dlsym(lib, "pathway_plugin");
    if (!*out)
        return err_set(err, ERR_IO, "%s exports no pathway_plugin, so it is no plugin", path);
    return check_abi(*out, path, err);
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
            return check_abi(*p, name, err);
        }
    if (!*name || strchr(name, '/') || name[0] == '.')
        return no_such(from, name, err);
    snprintf(path, sizeof(path), "%s/%s.so", from->dir, name);
    return access(path, F_OK) == 0 ? load_shared(out, path, err) : no_such(from, name, err);
}

/* --- what a plugin may call --- */

static void *host_loop(void *ctx)
{
    const struct slot *slot = ctx;
    return slot->plugins->loop;
}

static void host_log(void *ctx, int level, const char *line)
{
    const struct slot *slot = ctx;
    log_line(level < 0 || level > 3 ? LOG_INFO : (enum log_level)level, "%s: %s",
             slot->plugin->name, line);
}

/* A key that the section leaves open is answered from [daemon]: max_body holds for all. */
static const char *host_config(void *ctx, const char *key)
{
    const struct slot *slot = ctx;
    const char *own = config_value(slot->section, key);
    return own ? own : config_value(config_section(slot->plugins->config, "daemon"), key);
}

static enum pw_status host_submit(void *ctx, enum pw_format format, const char *bytes, size_t len,
                                  const char *actor, pw_submitted_fn *done, void *arg)
{
    const struct slot *slot = ctx;
    return service_submit(slot->plugins->service, format, bytes, len, actor, done, arg);
}

static enum pw_status host_ask(void *ctx, const char *question, const char *params_json,
                               pw_answer_fn *done, void *arg)
{
    const struct slot *slot = ctx;
    return service_ask(slot->plugins->service, question, params_json, done, arg);
}

/* --- starting and stopping --- */

static enum err_code start_one(struct plugins *p, const struct config_section *section,
                               const struct plugin_source *from, struct err *err)
{
    char why[512] = "it gave no reason";

    if (p->count == PLUGINS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d plugins", PLUGINS_MAX);
    struct slot *slot = &p->slots[p->count];
    *slot = (struct slot){ .plugins = p, .section = section };
    if (plugin_find(&slot->plugin, from, config_plugin_name(section), err) != OK)
        return err->code;
    slot->host = (struct pw_host){
        .size = sizeof(slot->host),
        .ctx = slot,
        .loop = host_loop,
        .log = host_log,
        .config = host_config,
        .submit = host_submit,
        .ask = host_ask,
    };
    if (slot->plugin->start(&slot->host, &slot->self, why, sizeof(why)) != 0)
        return err_set(err, ERR_IO, "plugin %s can not start: %s", slot->plugin->name, why);
    p->count++;
    return OK;
}

static bool is_required(const struct config_section *section)
{
    const char *value = config_value(section, "required");
    return value && strcmp(value, "yes") == 0;
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
    p->loop = loop;
    p->service = s;
    p->config = c;
    for (const struct config_section *section = c->sections; section; section = section->next) {
        if (!config_plugin_name(section))
            continue;
        wanted++;
        if (start_one(p, section, from, &why) == OK)
            continue;
        log_err("host: %s", why.msg);
        if (is_required(section))
            return err_set(err, ERR_IO, "the required plugin %s did not start",
                           config_plugin_name(section));
    }
    if (p->count > 0)
        return OK;
    return err_set(err, ERR_IO,
                   wanted > 0 ? "no plugin started, so nothing could reach the daemon"
                              : "no plugin is on, so nothing could reach the daemon; add a "
                                "section such as [plugin http]");
}

void plugins_changed(struct plugins *p, int64_t feed_seq)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->slots[i].plugin->changed)
            p->slots[i].plugin->changed(p->slots[i].self, feed_seq);
}

void plugins_list(const struct plugins *p, struct buf *out)
{
    buf_char(out, '[');
    for (size_t i = 0; i < p->count; i++) {
        buf_str(out, i > 0 ? "," : "");
        json_write_cstr(out, p->slots[i].plugin->name);
    }
    buf_char(out, ']');
}

static void stop_last(void *arg)
{
    struct plugins *p = arg;

    if (p->count == 0) {
        p->stopped(p->stopped_arg);
        return;
    }
    const struct slot *slot = &p->slots[--p->count];
    slot->plugin->stop(slot->self, stop_last, p);
}

void plugins_stop(struct plugins *p, void (*done)(void *arg), void *arg)
{
    p->stopped = done;
    p->stopped_arg = arg;
    stop_last(p);
}

void plugins_free(struct plugins *p)
{
    free(p);
}
