/* whatif_request.c - see whatif_request.h. */
#include "engine/whatif_request.h"

#include <stdlib.h>
#include <string.h>

#define FILES_MAX 4000

static enum err_code read_flag(bool *out, const struct json *params, const char *name,
                               struct err *err)
{
    const struct json *v = json_get(params, name);

    *out = v && v->type == JSON_BOOL && v->as.boolean;
    if (v && v->type != JSON_BOOL && v->type != JSON_NULL)
        return err_set(err, ERR_INPUT, "%s: found %s, expected true or false", name,
                       json_type_name(v));
    return OK;
}

static enum err_code check_file(const struct json *file, struct err *err)
{
    const struct json *path = json_get(file, "path"), *text = json_get(file, "text");

    if (!path || path->type != JSON_STRING || !text || text->type != JSON_STRING)
        return err_set(
            err, ERR_INPUT,
            "files: expected objects {\"path\":\"national/rules.lua\",\"text\":\"...\"}");
    if ((strncmp(path->as.string, "national/", 9) != 0 &&
         strncmp(path->as.string, "hubs/", 5) != 0) ||
        strstr(path->as.string, ".."))
        return err_set(err, ERR_INPUT,
                       "files: path: found \"%.80s\", expected national/NAME.lua or "
                       "hubs/CODE/NAME.lua",
                       path->as.string);
    return OK;
}

static enum err_code check_rules(const struct whatif_request *q, struct err *err)
{
    if (!q->set && !q->files)
        return err_set(
            err, ERR_INPUT,
            "nothing to compare with: expected `set`, as {\"leads_needed\":3}, or `files`");
    if (q->set && (q->set->type != JSON_OBJECT || q->set->len == 0))
        return err_set(err, ERR_INPUT, "set: expected an object such as {\"leads_needed\":3}");
    if (q->files && (q->files->type != JSON_ARRAY || q->files->len == 0))
        return err_set(err, ERR_INPUT, "files: expected a list of {\"path\",\"text\"}");
    if (q->files && !q->may_load)
        return err_set(err, ERR_INPUT,
                       "files: to bring rules takes a token with the scope rules; set needs none");
    for (const struct json *f = q->files ? q->files->as.first : NULL; f; f = f->next)
        if (check_file(f, err) != OK)
            return err->code;
    return OK;
}

static const struct json *given(const struct json *params, const char *name)
{
    const struct json *v = json_get(params, name);
    return v && v->type != JSON_NULL ? v : NULL;
}

enum err_code whatif_read_request(struct whatif_request *q, struct reader *r,
                                  const struct json *params, struct err *err)
{
    static const char *const KNOWN[] = { "set", "files", "keep",   "may_load", "hub",
                                         "at",  "known", "format", "tag",      NULL };

    if (params_check(params, KNOWN, err) != OK || params_text(&q->hub, params, "hub", err) != OK ||
        read_flag(&q->keeps, params, "keep", err) != OK ||
        read_flag(&q->may_load, params, "may_load", err) != OK ||
        row_format_read(&q->format, params, err) != OK ||
        params_instants(&q->when, r, params, err) != OK)
        return err->code;
    q->set = given(params, "set");
    q->files = given(params, "files");
    return check_rules(q, err);
}

/* ---- its files ---- */

/* Does one of the files given belong to the same pack? */
static bool has_pack(const struct json *files, const char *path)
{
    size_t len = (size_t)(strrchr(path, '/') - path) + 1;

    for (const struct json *f = files->as.first; f; f = f->next) {
        const struct json *other = json_get(f, "path");
        if (strncmp(other->as.string, path, len) == 0 && !strchr(other->as.string + len, '/'))
            return true;
    }
    return false;
}

static int by_path(const void *a, const void *b)
{
    const struct ruleset_file *x = a, *y = b;
    bool x_is_hub = strncmp(x->path, "hubs/", 5) == 0, y_is_hub = strncmp(y->path, "hubs/", 5) == 0;

    /* the national pack first, then hubs by code: as a folder is read */
    return x_is_hub != y_is_hub ? x_is_hub - y_is_hub : strcmp(x->path, y->path);
}

enum err_code whatif_load_files(struct rulebook **out, const struct whatif_request *q,
                                const struct rulebook *now, struct err *err)
{
    struct ruleset_file *files = calloc(FILES_MAX, sizeof(*files)), kept;
    int count = 0;

    if (!files)
        return err_set(err, ERR_LIMIT, "no memory to compare rules");
    for (const struct json *f = q->files->as.first; f && count < FILES_MAX; f = f->next) {
        const struct json *text = json_get(f, "text");
        files[count++] = (struct ruleset_file){ .path = json_get(f, "path")->as.string,
                                                .text = text->as.string,
                                                .len = text->len };
    }
    for (int i = 0; q->keeps && count < FILES_MAX && rulebook_file_at(&kept, now, i); i++)
        if (!has_pack(q->files, kept.path))
            files[count++] = kept;
    qsort(files, (size_t)count, sizeof(*files), by_path);
    enum err_code rc = rulebook_load_files(out, files, count, NULL, err);
    free(files);
    if (rc == ERR_RULE || rc == ERR_ABSENT) /* what is asked about is wrong, not ours */
        err->code = rc = ERR_INPUT;
    return rc;
}
