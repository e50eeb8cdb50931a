/* list_values.c - see list_values.h. */
#include "engine/list_values.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/strmap.h"
#include "base/text.h"
#include "lua/inventory.h"

#define VALUES_MAX 64 /* of one decision, to find the nearest among */

static const char *const BOOLS[] = { "true", "false" };

/* "A, B or C" */
static const char *listed(char *out, size_t size, const char *const *values, size_t count)
{
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < count && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s",
                                i == 0           ? ""
                                : i + 1 == count ? " or "
                                                 : ", ",
                                values[i]);
    return out;
}

static enum err_code refuse(const char *decision, const char *given, const char *const *values,
                            size_t count, struct err *err)
{
    char all[400], hint[120];

    return err_set(err, ERR_INPUT, "%s: found '%.80s', expected %s%s", decision, given,
                   listed(all, sizeof(all), values, count),
                   text_hint(hint, sizeof(hint), given, values, count));
}

static bool is_whole(const char *text)
{
    size_t sign = text[0] == '-';
    return text[sign] && strspn(text + sign, "0123456789") == strlen(text + sign);
}

static bool is_one_of(const char *given, const char *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(given, values[i]) == 0)
            return true;
    return false;
}

/* What some ruleset may make of it is fine: a hub's own may know more values. */
enum err_code list_value_check(struct rulebook *rules, const struct list_filter *filter,
                               const char *given, struct err *err)
{
    struct value_range range = { 0 }, first = { 0 };

    if (strcmp(filter->value, "null") == 0)
        return OK;
    for (int i = 0; rulebook_at(rules, i); i++) {
        ruleset_values(&range, rulebook_at(rules, i), filter->decision);
        bool is_known = ruleset_rule_name(rulebook_at(rules, i), 0) != NULL;
        if (!is_known || range.kind == VALUES_OPEN ||
            (range.kind == VALUES_BOOL && is_one_of(given, BOOLS, 2)) ||
            (range.kind == VALUES_INT && is_whole(given)) ||
            (range.kind == VALUES_ENUM && is_one_of(given, range.values, range.count)))
            return OK;
        if (i == 0)
            first = range;
    }
    if (first.kind == VALUES_BOOL)
        return refuse(filter->decision, given, BOOLS, 2, err);
    if (first.kind == VALUES_ENUM)
        return refuse(filter->decision, given, first.values, first.count, err);
    return err_set(err, ERR_INPUT, "%s: found '%.80s', expected a whole number", filter->decision,
                   given);
}

/* ---- by what there is ---- */

struct seen {
    const struct list_filter *filter;
    struct arena arena;
    struct strmap values;              /* JSON texts, so many */
    bool bools, numbers, texts, other; /* kinds of them */
};

static void note_kind(struct seen *s, const char *value)
{
    if (value[0] == 't' || value[0] == 'f')
        s->bools = true;
    else if (value[0] == '"')
        s->texts = true;
    else if (value[0] == '-' || (value[0] >= '0' && value[0] <= '9'))
        s->numbers = true;
    else if (strcmp(value, "null") != 0)
        s->other = true;
}

static enum err_code take_decision(struct slice name, struct slice value, void *arg,
                                   struct err *err)
{
    struct seen *s = arg;
    const char *wanted = s->filter->decision;

    if (name.len != strlen(wanted) || memcmp(name.at, wanted, name.len) != 0 ||
        s->values.count >= VALUES_MAX || strmap_find(&s->values, value.at, value.len))
        return OK;
    const char *copy = arena_copy(&s->arena, value.at, value.len);
    if (!copy || !strmap_add(&s->values, copy, value.len, NULL))
        return err_set(err, ERR_LIMIT, "no memory to look at the values");
    note_kind(s, copy);
    return OK;
}

static enum err_code take_row(const struct list_row *row, void *arg, struct err *err)
{
    return decisions_each(row->names, row->values, take_decision, arg, err);
}

/* Words alone: days and figures are near to others that are as good. */
static bool is_word(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!((text[i] >= 'a' && text[i] <= 'z') || text[i] == '_'))
            return false;
    return len > 0;
}

static enum err_code compare(struct seen *s, struct err *err)
{
    const char *words[VALUES_MAX], *value = s->filter->value;
    bool is_text = value[0] == '"', is_bool = value[0] == 't' || value[0] == 'f';
    char given[120];
    size_t count = 0;

    snprintf(given, sizeof(given), "%.*s", (int)strlen(value) - 2 * is_text, value + is_text);
    if (strcmp(value, "null") == 0 || strmap_find(&s->values, value, strlen(value)) || s->other)
        return OK;
    if (s->bools && !s->numbers && !s->texts && !is_bool)
        return refuse(s->filter->decision, given, BOOLS, 2, err);
    if (s->numbers && !s->bools && !s->texts && (is_text || is_bool))
        return err_set(err, ERR_INPUT, "%s: found '%s', expected a number", s->filter->decision,
                       given);
    for (uint32_t i = 0; i < s->values.count; i++) {
        const struct strmap_item *v = &s->values.items[i];
        const char *word = v->key[0] == '"' && is_word(v->key + 1, v->len - 2u)
                               ? arena_copy(&s->arena, v->key + 1, v->len - 2u)
                               : NULL;
        if (word)
            words[count++] = word;
    }
    if (!is_text || !is_word(given, strlen(given)) || !text_nearest(given, words, count))
        return OK;
    return refuse(s->filter->decision, given, words, count, err);
}

enum err_code list_values_check(struct store *s, const struct list_query *query, struct err *err)
{
    const struct list_query all = { .kind = query->kind, .limit = INT32_MAX - 1 };
    enum err_code rc = OK;
    bool more;

    for (int i = 0; i < query->filter_count && rc == OK; i++) {
        struct seen seen = { .filter = &query->filters[i] };
        rc = list_subjects(&more, s, &all, take_row, &seen, err);
        if (rc == OK)
            rc = compare(&seen, err);
        strmap_fini(&seen.values);
        arena_fini(&seen.arena);
    }
    return rc;
}
