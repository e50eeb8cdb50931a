/* config_check.c - see config.h. What each key of [daemon] means; a plugin's keys are its own. */
#include "host/config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define SOURCE_RULES PATHWAY_SOURCE_DIR "/rules"

static const char *const DAEMON_KEYS[] = {
    "database", "rules", "plugins", "log_level", "max_event", "max_events", "max_body", "max_depth",
};
#define DAEMON_KEY_COUNT (sizeof(DAEMON_KEYS) / sizeof(DAEMON_KEYS[0]))

/* Keys that the host knows in every plugin's section. */
static const char *const PLUGIN_KEYS[] = { "required" };

static const char *nearest(const char *name, const char *const *known, size_t count, char *out,
                           size_t size)
{
    return text_hint(out, size, name, known, count);
}

static bool is_known(const char *name, const char *const *known, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, known[i]) == 0)
            return true;
    return false;
}

static void tell_known(struct buf *out, const char *const *known, size_t count)
{
    buf_str(out, "; known are ");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", known[i]);
}

static void check_keys(struct config *c, const struct config_section *s, const char *const *known,
                       size_t count)
{
    char buffer[128];

    for (const struct config_key *k = s->keys; k; k = k->next) {
        if (is_known(k->name, known, count))
            continue;
        const char *hint = nearest(k->name, known, count, buffer, sizeof(buffer));
        buf_printf(&c->problems, "%s: unknown key '%s' in [%s]%s", k->where, k->name, s->name,
                   hint);
        if (!*hint)
            tell_known(&c->problems, known, count);
        buf_char(&c->problems, '\n');
    }
}

static const struct config_key *daemon_key(const struct config *c, const char *name)
{
    const struct config_section *s = config_section(c, "daemon");
    const struct config_key *k = s ? s->keys : NULL;
    while (k && strcmp(k->name, name) != 0)
        k = k->next;
    return k;
}

static const char *read_path(struct config *c, const char *name, const char *fallback)
{
    const struct config_key *k = daemon_key(c, name);
    if (!k)
        return fallback;
    if (!*k->value)
        buf_printf(&c->problems, "%s: '%s' is empty; give a path\n", k->where, name);
    return k->value;
}

/* A whole number, with K or M (of 1024) behind it when it counts bytes. */
static size_t read_size(struct config *c, const char *name, size_t fallback, size_t low,
                        size_t high)
{
    const struct config_key *k = daemon_key(c, name);
    char *end = NULL;

    if (!k)
        return fallback;
    errno = 0;
    unsigned long long n = strtoull(k->value, &end, 10);
    bool is_number = end != k->value && k->value[0] >= '0' && k->value[0] <= '9' && errno == 0;
    unsigned long long unit = 1;
    if (is_number && (*end == 'K' || *end == 'M'))
        unit = *end++ == 'K' ? 1024 : 1024 * 1024;
    if (!is_number || *end || n > high / unit || n * unit < low) {
        buf_printf(&c->problems,
                   "%s: '%s' is '%s'; expected a whole number from %zu to %zu (K and M are "
                   "allowed behind it)\n",
                   k->where, name, k->value, low, high);
        return fallback;
    }
    return (size_t)(n * unit);
}

static enum log_level read_level(struct config *c)
{
    static const char *const LEVELS[] = { "err", "warn", "info", "debug" };
    const struct config_key *k = daemon_key(c, "log_level");
    enum log_level level = LOG_INFO;
    char hint[64];

    if (k && !log_level_parse(&level, k->value))
        buf_printf(&c->problems, "%s: 'log_level' is '%s'; expected err, warn, info or debug%s\n",
                   k->where, k->value, nearest(k->value, LEVELS, 4, hint, sizeof(hint)));
    return level;
}

static void check_plugin(struct config *c, const struct config_section *s, const char *name,
                         config_keys_fn *keys_of, void *arg)
{
    const char *known[64];
    size_t count = 0;
    struct err why = { 0 };

    for (const struct config_key *k = s->keys; k; k = k->next)
        if (strcmp(k->name, "required") == 0 && strcmp(k->value, "yes") != 0 &&
            strcmp(k->value, "no") != 0)
            buf_printf(&c->problems, "%s: 'required' of [%s] is '%s'; expected yes or no\n",
                       k->where, s->name, k->value);
    const char *const *keys = keys_of(arg, name, &why);
    if (!keys && why.code != OK)
        buf_printf(&c->problems, "%s: %s\n", s->where, why.msg);
    if (!keys)
        return;
    for (; *keys && count < 63; keys++)
        known[count++] = *keys;
    known[count++] = PLUGIN_KEYS[0];
    check_keys(c, s, known, count);
}

static void check_sections(struct config *c, config_keys_fn *keys_of, void *arg)
{
    static const char *const NAMES[] = { "daemon", "plugin" };
    char hint[64];

    for (const struct config_section *s = c->sections; s; s = s->next) {
        const char *plugin = config_plugin_name(s);
        if (plugin)
            check_plugin(c, s, plugin, keys_of, arg);
        else if (strcmp(s->name, "daemon") == 0)
            check_keys(c, s, DAEMON_KEYS, DAEMON_KEY_COUNT);
        else
            buf_printf(&c->problems,
                       "%s: unknown section [%s]; expected [daemon] or [plugin NAME]%s\n", s->where,
                       s->name, nearest(s->name, NAMES, 2, hint, sizeof(hint)));
    }
}

enum err_code config_check(struct config *c, config_keys_fn *keys_of, void *arg, struct err *err)
{
    bool in_tree = access(SOURCE_RULES, R_OK) == 0;

    c->database = read_path(c, "database", "/var/lib/pathwayd/pathway.db");
    c->rules = read_path(c, "rules", in_tree ? SOURCE_RULES : "/etc/pathwayd/rules");
    c->plugins = read_path(c, "plugins", "/usr/lib/pathwayd/plugins");
    c->log_level = read_level(c);
    c->max_event = read_size(c, "max_event", 256 * 1024, 1024, 16 * 1024 * 1024);
    c->max_events = read_size(c, "max_events", 10000, 1, 1000000);
    c->max_body = read_size(c, "max_body", 16 * 1024 * 1024, 1024, 1024 * 1024 * 1024);
    c->max_depth = read_size(c, "max_depth", 64, 4, 256);
    check_sections(c, keys_of, arg);
    if (c->problems.failed)
        return err_set(err, ERR_LIMIT, "no memory for the configuration");
    if (c->problems.len > 0)
        return err_set(err, ERR_INPUT, "%.*s", (int)strcspn(buf_cstr(&c->problems), "\n"),
                       buf_cstr(&c->problems));
    return OK;
}
