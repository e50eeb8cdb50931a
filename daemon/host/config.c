/* config.c - see config.h. Reads only: what keys mean is in config_check.c. */
#include "host/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <ini.h>

#define LINE_MAX_BYTES 4096 /* of the file; longer ones are told, not cut */
#define ENV_PREFIX     "PATHWAYD_"

/* What inih shows us line by line, so that we know where we are: it tells no lines. */
struct reading {
    struct config *config;
    FILE *file;
    const char *path;
    int line;
    struct config_section *section; /* the one we are in; NULL before the first */
    bool failed;                    /* no memory */
    struct err *err;
};

const struct config_section *config_section(const struct config *c, const char *name)
{
    const struct config_section *s = c->sections;
    while (s && strcmp(s->name, name) != 0)
        s = s->next;
    return s;
}

static struct config_key *find_key(const struct config_section *s, const char *name)
{
    struct config_key *k = s ? s->keys : NULL;
    while (k && strcmp(k->name, name) != 0)
        k = k->next;
    return k;
}

const char *config_value(const struct config_section *s, const char *key)
{
    const struct config_key *k = find_key(s, key);
    return k ? k->value : NULL;
}

const char *config_plugin_name(const struct config_section *s)
{
    static const char PREFIX[] = "plugin ";
    size_t len = sizeof(PREFIX) - 1;
    return strncmp(s->name, PREFIX, len) == 0 ? s->name + len : NULL;
}

struct config_section *config_add_section(struct config *c, const char *name, const char *where)
{
    struct config_section **at = &c->sections;
    while (*at && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    if (*at)
        return *at;
    struct config_section *s = arena_alloc(&c->arena, sizeof(*s));
    char *own_name = arena_strdup(&c->arena, name);
    char *own_where = arena_strdup(&c->arena, where);
    if (!s || !own_name || !own_where)
        return NULL;
    s->name = own_name;
    s->where = own_where;
    *at = s;
    return s;
}

enum err_code config_add_key(struct config *c, struct config_section *s, const char *name,
                             const char *value, const char *where, bool replace, struct err *err)
{
    struct config_key *k = find_key(s, name);
    char *own_value = arena_strdup(&c->arena, value);
    char *own_where = arena_strdup(&c->arena, where);
    if (!own_value || !own_where)
        return err_set(err, ERR_LIMIT, "no memory for the configuration");
    if (k && !replace) {
        buf_printf(&c->problems, "%s: '%s' is given a second time in [%s]; the first is at %s\n",
                   where, name, s->name, k->where);
        return OK;
    }
    if (!k) {
        struct config_key **at = &s->keys;
        while (*at)
            at = &(*at)->next;
        k = arena_alloc(&c->arena, sizeof(*k));
        char *own_name = arena_strdup(&c->arena, name);
        if (!k || !own_name)
            return err_set(err, ERR_LIMIT, "no memory for the configuration");
        k->name = own_name;
        *at = k;
    }
    k->value = own_value;
    k->where = own_where;
    return OK;
}

static const char *place(const struct reading *r, char *out, size_t size)
{
    snprintf(out, size, "%s:%d", r->path, r->line);
    return out;
}

/* inih says nothing about a section with no keys in it, but "[plugin http]" alone means much. */
static void note_section(struct reading *r, const char *line)
{
    char where[LINE_MAX_BYTES], name[LINE_MAX_BYTES];
    const char *end = strchr(line, ']');

    place(r, where, sizeof(where));
    if (!end) {
        buf_printf(&r->config->problems, "%s: a section ends with ']', as in [daemon]\n", where);
        return;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(end - line - 1), line + 1);
    r->section = config_add_section(r->config, name, where);
    if (!r->section)
        r->failed = true;
}

/* inih's fgets(): counts, refuses what is too long, and takes leading blanks away. */
static char *next_line(char *out, int size, void *arg)
{
    struct reading *r = arg;

    if (!fgets(out, size, r->file))
        return NULL;
    r->line++;
    size_t len = strlen(out);
    if (len + 1 == (size_t)size && out[len - 1] != '\n') {
        char where[LINE_MAX_BYTES];
        buf_printf(&r->config->problems, "%s: the line is longer than %d bytes\n",
                   place(r, where, sizeof(where)), size - 2);
        for (int c = getc(r->file); c != EOF && c != '\n'; c = getc(r->file))
            ;
        snprintf(out, (size_t)size, ";\n");
        return out;
    }
    char *text = out;
    if (r->line == 1 && strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    while (isspace((unsigned char)*text) && *text != '\n')
        text++;
    memmove(out, text, strlen(text) + 1);
    if (*out == '[')
        note_section(r, out);
    return out;
}

static int take_value(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *r = arg;
    char where[LINE_MAX_BYTES];

    (void)section; /* cut at 49 bytes by inih; ours is whole */
    place(r, where, sizeof(where));
    if (!value) {
        if (name && *name != '[')
            buf_printf(&r->config->problems, "%s: '%s' has no value; write 'key = value'\n", where,
                       name);
        return 1;
    }
    if (!r->section) {
        buf_printf(&r->config->problems, "%s: '%s' stands before the first section, as [daemon]\n",
                   where, name);
        return 1;
    }
    if (config_add_key(r->config, r->section, name, value, where, false, r->err) != OK)
        r->failed = true;
    return 1;
}

static enum err_code read_file(struct config *c, const char *path, struct err *err)
{
    struct reading r = { .config = c, .path = path, .err = err };

    r.file = fopen(path, "re");
    if (!r.file)
        return err_set(err, ERR_IO, "can not read the configuration %s: %s", path, strerror(errno));
    ini_use_stack = false; /* the library's switches are global; we are its only user */
    ini_max_line = LINE_MAX_BYTES;
    ini_allow_multiline = false;
    ini_allow_no_value = true;
    int rc = ini_parse_stream(next_line, &r, take_value, &r);
    bool unreadable = ferror(r.file) != 0;
    fclose(r.file);
    if (unreadable)
        return err_set(err, ERR_IO, "can not read the configuration %s to its end", path);
    if (rc < 0 || r.failed)
        return err_set(err, ERR_LIMIT, "no memory for the configuration");
    return OK;
}

/* "PATHWAYD_PLUGIN_HTTP_LISTEN" to "plugin http" and "listen". False when it is not one of ours. */
static bool split_variable(const char *name, size_t len, char *section, char *key, size_t size)
{
    char text[256];
    if (len >= sizeof(text) || len >= size)
        return false;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)tolower((unsigned char)name[i]);
    text[len] = '\0';

    char *rest = text;
    if (strncmp(rest, "daemon_", 7) == 0) {
        snprintf(section, size, "daemon");
        rest += 7;
    } else if (strncmp(rest, "plugin_", 7) == 0 && strchr(rest + 7, '_')) {
        char *end = strchr(rest + 7, '_');
        snprintf(section, size, "plugin %.*s", (int)(end - rest - 7), rest + 7);
        rest = end + 1;
    } else {
        return false;
    }
    snprintf(key, size, "%s", rest);
    return *key != '\0';
}

static enum err_code read_environment(struct config *c, char *const *environment, struct err *err)
{
    enum err_code rc = OK;

    for (; environment && *environment && rc == OK; environment++) {
        const char *name = *environment;
        const char *equals = strchr(name, '=');
        size_t prefix = sizeof(ENV_PREFIX) - 1;
        char section[264], key[264], where[300];
        if (!equals || strncmp(name, ENV_PREFIX, prefix) != 0 ||
            !split_variable(name + prefix, (size_t)(equals - name) - prefix, section, key,
                            sizeof(key)))
            continue;
        snprintf(where, sizeof(where), "environment variable %.*s", (int)(equals - name), name);
        struct config_section *s = config_add_section(c, section, where);
        rc = s ? config_add_key(c, s, key, equals + 1, where, true, err)
               : err_set(err, ERR_LIMIT, "no memory for the configuration");
    }
    return rc;
}

enum err_code config_read(struct config *c, const char *path, char *const *environment,
                          struct err *err)
{
    enum err_code rc = path ? read_file(c, path, err) : OK;
    return rc == OK ? read_environment(c, environment, err) : rc;
}

void config_fini(struct config *c)
{
    arena_fini(&c->arena);
    buf_fini(&c->problems);
    *c = (struct config){ 0 };
}
