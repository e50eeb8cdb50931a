/* request_rules.c - see request_rules.h. */
#include "host/request_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "lua/folder.h"
#include "model/subject.h"

#define OVERLAY_BYTES_MAX (1024 * 1024) /* of all files of an overlay */

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory for the request");
}

/* Set the pack to hubs/CODE. */
static enum err_code read_hub(struct rules_request *r, const struct json *params, struct err *err)
{
    const struct json *hub = json_get(params, "hub");
    char name[100];
    enum subject_kind kind;

    if (!hub || hub->type != JSON_STRING)
        return err_set(err, ERR_INPUT, "hub: found %s, expected a hub's code as text",
                       json_type_name(hub));
    int len = snprintf(name, sizeof(name), "hub/%s", hub->as.string);
    if (len >= (int)sizeof(name) || hub->as.string[0] == '.' ||
        subject_parse(&kind, name, (size_t)len, NULL) != OK)
        return err_set(err, ERR_INPUT, "hub: found \"%.40s\", expected a hub's code, as 07",
                       hub->as.string);
    snprintf(name, sizeof(name), "hubs/%s", hub->as.string);
    r->proposal.pack = arena_strdup(&r->arena, name);
    return r->proposal.pack ? OK : no_memory(err);
}

static bool is_file_name(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && len <= 60 && strcmp(name + len - 4, ".lua") == 0 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
               len - 4;
}

static enum err_code read_file(struct ruleset_file *out, struct rules_request *r,
                               const struct json *file, struct err *err)
{
    char path[200];

    if (!is_file_name(file->name))
        return err_set(err, ERR_INPUT,
                       "files: '%.60s' is no name of a rules file; expected letters, digits, _ "
                       "and -, and .lua",
                       file->name);
    if (file->type != JSON_STRING)
        return err_set(err, ERR_INPUT, "files.%s: found %s, expected its text", file->name,
                       json_type_name(file));
    snprintf(path, sizeof(path), "%s/%s", r->proposal.pack, file->name);
    *out = (struct ruleset_file){ .path = arena_strdup(&r->arena, path),
                                  .text = file->as.string,
                                  .len = file->len };
    return out->path ? OK : no_memory(err);
}

static enum err_code read_files(struct rules_request *r, const struct json *params, struct err *err)
{
    const struct json *given = json_get(params, "files");
    size_t bytes = 0;
    int count = 0;

    if (!given || given->type != JSON_OBJECT || !given->as.first)
        return err_set(err, ERR_INPUT,
                       "files: found %s, expected an object from the name of each file to its text",
                       given && given->type == JSON_OBJECT ? "none" : json_type_name(given));
    for (const struct json *f = given->as.first; f; f = f->next)
        count++;
    if (count > PACK_FILES_MAX)
        return err_set(err, ERR_INPUT, "files: %d of them, expected at most %d", count,
                       PACK_FILES_MAX);
    struct ruleset_file *files = arena_alloc(&r->arena, sizeof(*files) * (size_t)count);
    if (!files)
        return no_memory(err);
    r->proposal.files = files;
    for (const struct json *f = given->as.first; f; f = f->next) {
        if (read_file(&files[r->proposal.file_count++], r, f, err) != OK)
            return err->code;
        bytes += f->len;
    }
    if (bytes > OVERLAY_BYTES_MAX)
        return err_set(err, ERR_INPUT, "files: %zu bytes together, expected at most %d", bytes,
                       OVERLAY_BYTES_MAX);
    return OK;
}

static enum err_code read_rollback(struct rules_request *r, const struct json *params,
                                   struct err *err)
{
    const struct json *pack = json_get(params, "rollback");

    if (!pack || pack->type == JSON_NULL)
        return OK;
    if (pack->type != JSON_STRING)
        return err_set(err, ERR_INPUT, "rollback: found %s, expected the name of a pack",
                       json_type_name(pack));
    r->proposal.kind = PROPOSE_ROLLBACK;
    r->proposal.pack = pack->as.string;
    return OK;
}

static enum err_code check_names(const struct json *params, const char *const *known, size_t count,
                                 struct err *err)
{
    char hint[120];

    if (params->type != JSON_OBJECT)
        return err_set(err, ERR_INPUT, "parameters: found %s, expected an object",
                       json_type_name(params));
    for (const struct json *p = params->as.first; p; p = p->next) {
        bool is_known = false;
        for (size_t i = 0; i < count && !is_known; i++)
            is_known = strcmp(p->name, known[i]) == 0;
        if (!is_known)
            return err_set(err, ERR_INPUT, "unknown parameter '%s'%s", p->name,
                           text_hint(hint, sizeof(hint), p->name, known, count));
    }
    return OK;
}

static enum err_code read(struct rules_request *r, const char *question, const struct json *params,
                          struct err *err)
{
    static const char *const RELOAD[] = { "rollback" };
    static const char *const OVERLAY[] = { "hub", "files" };

    if (strcmp(question, "reload") == 0)
        return check_names(params, RELOAD, 1, err) == OK ? read_rollback(r, params, err)
                                                         : err->code;
    bool is_push = strcmp(question, "overlay_push") == 0;
    r->proposal.kind = is_push ? PROPOSE_PUSH : PROPOSE_ROLLBACK;
    if (check_names(params, OVERLAY, is_push ? 2 : 1, err) != OK || read_hub(r, params, err) != OK)
        return err->code;
    return is_push ? read_files(r, params, err) : OK;
}

enum err_code rules_request_read(struct rules_request **out, const char *question,
                                 const char *params, struct err *err)
{
    const struct json *json = NULL;

    *out = calloc(1, sizeof(**out));
    if (!*out)
        return no_memory(err);
    /* It is kept: what it points at lies in the text. */
    const char *text = arena_strdup(&(*out)->arena, params ? params : "{}");
    enum err_code rc =
        text ? json_parse(&json, &(*out)->arena, text, strlen(text), 8, err) : no_memory(err);
    return rc == OK ? read(*out, question, json, err) : rc;
}

void rules_request_free(struct rules_request *r)
{
    if (!r)
        return;
    arena_fini(&r->arena);
    free(r);
}
