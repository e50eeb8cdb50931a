/* plugin_check.c - what plugins say of their sections before anything starts: see plugins.h. */
#include <string.h>

#include "host/plugins.h"

#define CHECK_MINOR 1 /* since which ABI a plugin may have check() */
#define FILES_MINOR 2 /* and check_files() */

typedef void check_fn(const struct pw_host *host, struct pw_problems *problems);

/* Where what one plugin says goes. */
struct pw_problems {
    struct config *config;
    const struct config_section *section;
};

static const struct config_key *find_key(const struct config_section *s, const char *name)
{
    const struct config_key *k = s ? s->keys : NULL;
    while (k && strcmp(k->name, name) != 0)
        k = k->next;
    return k;
}

/* As the plugin's section has it, else [daemon]. */
static const struct config_key *key_of(const struct pw_problems *p, const char *name)
{
    const struct config_key *own = find_key(p->section, name);
    return own ? own : find_key(config_section(p->config, "daemon"), name);
}

static const char *check_config(void *ctx, const char *key)
{
    const struct config_key *k = key ? key_of(ctx, key) : NULL;
    return k ? k->value : NULL;
}

static void check_problem(void *ctx, struct pw_problems *problems, const char *key,
                          const char *text)
{
    const struct config_key *k = key ? key_of(problems, key) : NULL;

    (void)ctx;
    buf_printf(&problems->config->problems, "%s: %s\n", k ? k->where : problems->section->where,
               text && *text ? text : "the plugin gave no reason");
}

static check_fn *check_of(const struct pw_plugin *plugin)
{
    return plugin->abi_minor >= CHECK_MINOR ? plugin->check : NULL;
}

static check_fn *files_of(const struct pw_plugin *plugin)
{
    return plugin->abi_minor >= FILES_MINOR ? plugin->check_files : NULL;
}

static enum err_code check_all(struct config *c, const struct plugin_source *from,
                               check_fn *(*pick)(const struct pw_plugin *plugin), struct err *err)
{
    size_t before = c->problems.len;

    for (const struct config_section *s = c->sections; s; s = s->next) {
        const char *name = config_plugin_name(s);
        const struct pw_plugin *plugin = NULL;
        struct err why;
        if (!name || plugin_find(&plugin, from, name, &why) != OK || !pick(plugin))
            continue; /* one that is not there has been told of with its section */
        struct pw_problems problems = { c, s };
        const struct pw_host host = {
            .size = sizeof(host), .ctx = &problems, .config = check_config, .problem = check_problem
        };
        pick(plugin)(&host, &problems);
    }
    if (c->problems.failed)
        return err_set(err, ERR_LIMIT, "no memory for the configuration");
    if (c->problems.len == before)
        return OK;
    const char *first = buf_cstr(&c->problems) + before;
    return err_set(err, ERR_INPUT, "%.*s", (int)strcspn(first, "\n"), first);
}

enum err_code plugins_check(struct config *c, const struct plugin_source *from, struct err *err)
{
    return check_all(c, from, check_of, err);
}

enum err_code plugins_check_files(struct config *c, const struct plugin_source *from,
                                  struct err *err)
{
    return check_all(c, from, files_of, err);
}
