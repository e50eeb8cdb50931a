/* query.c - see query.h. */
#include "query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAIRS_MAX 64

struct pair {
    char *name; /* owned, decoded */
    char *value;
};

struct pairs {
    struct pair items[PAIRS_MAX];
    size_t count;
    char error[200]; /* "" when all is well */
};

static void pairs_fini(struct pairs *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->items[i].name);
        free(p->items[i].value);
    }
}

static char *decode(const char *text)
{
    size_t len = strlen(text);
    char *out = malloc(len + 1);
    if (out && percent_decode(out, text, len))
        return out;
    free(out);
    return NULL;
}

static bool has(const struct pairs *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i].name, name) == 0)
            return true;
    return false;
}

static enum MHD_Result collect(void *arg, enum MHD_ValueKind kind, const char *name,
                               const char *value)
{
    struct pairs *p = arg;

    (void)kind;
    char *own_name = decode(name), *own_value = decode(value ? value : "");
    if (!own_name || !own_value)
        snprintf(p->error, sizeof(p->error), "the percent-encoding of parameter '%.60s' is wrong",
                 name);
    else if (has(p, own_name))
        snprintf(p->error, sizeof(p->error), "the parameter '%.60s' is given twice", own_name);
    else if (p->count == PAIRS_MAX)
        snprintf(p->error, sizeof(p->error), "more than %d parameters", PAIRS_MAX);
    if (p->error[0]) {
        free(own_name);
        free(own_value);
        return MHD_NO;
    }
    p->items[p->count++] = (struct pair){ own_name, own_value };
    return MHD_YES;
}

static bool is_number(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= 18 && strspn(text, "0123456789") == len &&
           (text[0] != '0' || len == 1);
}

static void write_list(struct str *out, const char *text)
{
    str_text(out, "[");
    for (bool more = *text != '\0'; more;) {
        size_t len = strcspn(text, ",");
        str_json(out, text, len);
        more = text[len] == ',';
        str_text(out, more ? "," : "");
        text += len + more;
    }
    str_text(out, "]");
}

static void write_pair(struct str *out, const struct pair *pair, enum param_kind kind)
{
    char last = out->len > 0 ? out->data[out->len - 1] : '{';

    str_text(out, last == '{' ? "" : ",");
    str_json(out, pair->name, strlen(pair->name));
    str_text(out, ":");
    if (kind == PARAM_LIST)
        write_list(out, pair->value);
    else if (kind == PARAM_NUMBER && is_number(pair->value))
        str_text(out, pair->value);
    else
        str_json(out, pair->value, strlen(pair->value));
}

static const struct param *find(const struct param *known, const char *name)
{
    for (; known->name; known++)
        if (strcmp(known->name, name) == 0)
            return known;
    return NULL;
}

bool query_params(struct str *out, struct request *r, const struct param *known, bool filters)
{
    struct pairs pairs = { 0 };
    struct str where = { 0 };

    MHD_get_connection_values(r->connection, MHD_GET_ARGUMENT_KIND, collect, &pairs);
    str_text(&where, "{");
    for (size_t i = 0; i < pairs.count; i++) {
        const struct pair *pair = &pairs.items[i];
        const struct param *param = find(known, pair->name);
        if (param && param->kind == PARAM_FLAG)
            continue;
        write_pair(param || !filters ? out : &where, pair, param ? param->kind : PARAM_TEXT);
    }
    if (where.len > 1)
        str_printf(out, "%s\"where\":%s}", out->data[out->len - 1] == '{' ? "" : ",",
                   where.failed ? "" : where.data);
    if (where.failed)
        out->failed = true;
    str_fini(&where);
    pairs_fini(&pairs);
    if (pairs.error[0])
        reply_problem(r, 400, "input", pairs.error);
    return !pairs.error[0];
}
