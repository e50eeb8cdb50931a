/* keep.c - see keep.h. */
#include "engine/keep.h"

#include <string.h>

#include "store/keep.h"

#define PARTS_MAX 5

/* What follows the name: 's' a text, 'i' a whole number, 'n' a text or null. */
static const struct {
    const char *name;
    const char *parts;
} OPS[] = {
    { "cursor", "si" },  { "no cursor", "s" }, { "state", "ssn" },
    { "aside", "ssis" }, { "no aside", "i" },
};
enum op { OP_CURSOR, OP_NO_CURSOR, OP_STATE, OP_ASIDE, OP_NO_ASIDE, OP_COUNT };

static bool fits(const struct json *part, char kind)
{
    if (kind == 'i')
        return part->type == JSON_INT;
    return part->type == JSON_STRING || (kind == 'n' && part->type == JSON_NULL);
}

/* The parts of an op, or OP_COUNT when it is none. */
static enum op read_op(const struct json *parts[PARTS_MAX], const struct json *op)
{
    const struct json *name = op->type == JSON_ARRAY ? op->as.first : NULL;

    for (int i = 0; name && i < OP_COUNT; i++) {
        if (!json_is_string(name, OPS[i].name))
            continue;
        const struct json *part = name->next;
        size_t n = 0;
        for (; part && OPS[i].parts[n] && fits(part, OPS[i].parts[n]); part = part->next)
            parts[n++] = part;
        return !part && !OPS[i].parts[n] ? (enum op)i : OP_COUNT;
    }
    return OP_COUNT;
}

static enum err_code keep_one(struct keeping *k, const struct json *op, struct err *err)
{
    const struct json *p[PARTS_MAX];

    switch (read_op(p, op)) {
    case OP_CURSOR:
        return keep_cursor(k, p[0]->as.string, p[1]->as.integer, err);
    case OP_NO_CURSOR:
        return keep_no_cursor(k, p[0]->as.string, err);
    case OP_STATE:
        return keep_state(k, p[0]->as.string, p[1]->as.string,
                          p[2]->type == JSON_NULL ? NULL : p[2]->as.string, err);
    case OP_ASIDE:
        return keep_aside(k, p[0]->as.string, p[1]->as.string, p[2]->as.integer, p[3]->as.string,
                          p[3]->len, err);
    case OP_NO_ASIDE:
        return keep_no_aside(k, p[0]->as.integer, err);
    case OP_COUNT:
        break;
    }
    return err_set(err, ERR_INPUT, "keep: an item that is no op");
}

enum err_code keep_all(struct store *s, const struct json *params, struct err *err)
{
    const struct json *ops = json_get(params, "ops");
    struct keeping k;

    if (!ops || ops->type != JSON_ARRAY)
        return err_set(err, ERR_INPUT, "keep: found no array of ops");
    enum err_code rc = keep_begin(&k, s, err);
    if (rc != OK)
        return rc;
    for (const struct json *op = ops->as.first; op && rc == OK; op = op->next)
        rc = keep_one(&k, op, err);
    return keep_end(&k, rc, err);
}
