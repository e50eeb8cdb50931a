/* reconfigure.c - see reconfigure.h. */
#include "host/reconfigure.h"

#include <stdio.h>
#include <string.h>

/* Of [daemon]: what is looked up anew each time it is needed. max_body is the plugins' too, since
 * they began. */
static const char *const CHANGEABLE[] = { "rules", "log_level", "max_event", "max_events",
                                          "max_depth" };

static bool is_changeable(const char *section, const char *key)
{
    for (size_t i = 0; i < sizeof(CHANGEABLE) / sizeof(CHANGEABLE[0]); i++)
        if (strcmp(section, "daemon") == 0 && strcmp(CHANGEABLE[i], key) == 0)
            return true;
    return false;
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static int refuse(reconfigure_refused_fn *fn, void *arg, const char *where, const char *what,
                  const char *name, const char *section)
{
    char line[1024];

    snprintf(line, sizeof(line),
             "%s: %s%s%s[%s]: that takes a restart (systemctl restart pathwayd)", where, what, name,
             *name ? " in " : "", section);
    fn(line, arg);
    return 1;
}

/* Keys of `a` that `b` has not, or has otherwise. */
static int refuse_keys(const struct config_section *a, const struct config_section *b,
                       reconfigure_refused_fn *fn, void *arg)
{
    int count = 0;

    for (const struct config_key *k = a->keys; k; k = k->next)
        if (!is_same(k->value, config_value(b, k->name)) && !is_changeable(a->name, k->name))
            count += refuse(fn, arg, k->where, "another value of ", k->name, a->name);
    return count;
}

int reconfigure_refused(const struct config *current, const struct config *wanted,
                        reconfigure_refused_fn *fn, void *arg)
{
    int count = 0;

    for (const struct config_section *s = wanted->sections; s; s = s->next) {
        const struct config_section *before = config_section(current, s->name);
        if (!before && config_plugin_name(s))
            count += refuse(fn, arg, s->where, "a new section ", "", s->name);
        else
            count += refuse_keys(s, before, fn, arg);
    }
    for (const struct config_section *s = current->sections; s; s = s->next) {
        const struct config_section *after = config_section(wanted, s->name);
        if (!after && config_plugin_name(s)) {
            count += refuse(fn, arg, s->where, "without the section ", "", s->name);
            continue;
        }
        for (const struct config_key *k = s->keys; k; k = k->next) /* those that are gone */
            if (!config_value(after, k->name) && !is_changeable(s->name, k->name))
                count += refuse(fn, arg, k->where, "no value any more of ", k->name, s->name);
    }
    return count;
}
