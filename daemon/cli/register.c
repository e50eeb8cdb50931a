/* register.c - see register.h. */
#include "cli/register.h"

#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/digest.h"
#include "base/json.h"

#define SOURCE "urn:gias"

/* A string, or a whole number as text; NULL for anything else. */
static const char *text_of(struct arena *arena, const struct json *value)
{
    char number[24];

    if (value && value->type == JSON_STRING)
        return arena_strdup(arena, value->as.string);
    if (!value || value->type != JSON_INT)
        return NULL;
    snprintf(number, sizeof(number), "%lld", (long long)value->as.integer);
    return arena_strdup(arena, number);
}

static enum err_code add_known(struct known *k, const char *line, size_t len, struct err *err)
{
    static const char PREFIX[] = "school/";
    struct arena scratch = { 0 };
    const struct json *tree = NULL;
    enum err_code rc = json_parse(&tree, &scratch, line, len, 16, err);
    const struct json *subject = json_get(tree, "subject");

    if (rc != OK || !subject || subject->type != JSON_STRING ||
        strncmp(subject->as.string, PREFIX, strlen(PREFIX)) != 0) {
        arena_fini(&scratch);
        return err_set(err, ERR_IO,
                       "the answer about registered schools has a line that is no school: %.*s",
                       (int)(len < 80 ? len : 80), line);
    }
    const char *urn = arena_strdup(&k->arena, subject->as.string + strlen(PREFIX));
    const char **values = arena_alloc(&k->arena, SCHOOL_FIELDS * sizeof(*values));
    struct strmap_item *item =
        urn && values ? strmap_add(&k->by_urn, urn, strlen(urn), NULL) : NULL;
    for (int f = 0; item && f < SCHOOL_FIELDS; f++)
        values[f] = text_of(&k->arena, json_get(tree, school_field_names[f]));
    if (item)
        item->as.ptr = values;
    else
        rc = err_set(err, ERR_LIMIT, "no memory for the schools that are registered");
    arena_fini(&scratch);
    return rc;
}

enum err_code known_read(struct known *out, const char *text, size_t len, struct err *err)
{
    enum err_code rc = OK;

    for (size_t at = 0; at < len && rc == OK;) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t n = newline ? (size_t)(newline - text) - at : len - at;
        if (n)
            rc = add_known(out, text + at, n, err);
        at += n + 1;
    }
    return rc;
}

void known_fini(struct known *k)
{
    strmap_fini(&k->by_urn);
    arena_fini(&k->arena);
}

static bool is_different(const struct school *s, const char *const *before, int field)
{
    const char *now = s->values[field];

    if (!now || (field == FIELD_EDUCATION_PHASE && s->is_phase_guessed && before))
        return false;
    return !before || !before[field] || strcmp(before[field], now) != 0;
}

/* The members that differ from `before` (NULL: all that are known); how many. */
static int write_data(struct buf *b, const struct school *s, const char *const *before)
{
    int count = 0;

    buf_char(b, '{');
    for (int f = 0; f < SCHOOL_FIELDS; f++) {
        if (!is_different(s, before, f))
            continue;
        buf_printf(b, "%s\"%s\":", count++ ? "," : "", school_field_names[f]);
        if (f == FIELD_PUPILS)
            buf_str(b, s->values[f]);
        else
            json_write_cstr(b, s->values[f]);
    }
    buf_char(b, '}');
    return count;
}

static int64_t event_time(const struct school *s, int32_t day, bool is_first)
{
    int32_t stands = day;

    if (is_first && s->has_open_day)
        stands = s->open_day;
    else if (is_first && day_parse(&stands, REGISTERED_FROM, strlen(REGISTERED_FROM), NULL) != OK)
        stands = day;
    return london_midnight(stands < day ? stands : day);
}

static void write_event(struct buf *out, const struct school *s, const struct buf *data,
                        int32_t day, bool is_first)
{
    const char *type = is_first ? "school.registered" : "school.changed";
    const struct digest_part parts[] = { { type, strlen(type) }, { data->data, data->len } };
    uint8_t digest[DIGEST_BYTES];
    char hex[DIGEST_HEX], time[TIME_TEXT], date[DAY_TEXT];

    digest_parts(digest, NULL, parts, 2);
    buf_printf(out,
               "{\"specversion\":\"1.0\",\"id\":\"%s-%s-%.8s\",\"source\":\"" SOURCE "\","
               "\"type\":\"%s\",\"subject\":\"school/%s\",\"time\":\"%s\",\"data\":",
               s->urn, day_text(day, date), digest_hex(digest, hex), type, s->urn,
               time_text(event_time(s, day, is_first), time));
    buf_add(out, data->data, data->len);
    buf_str(out, "}\n");
}

enum register_change register_event(struct buf *out, const struct known *known,
                                    const struct school *school, int32_t day)
{
    const struct strmap_item *item = strmap_find(&known->by_urn, school->urn, strlen(school->urn));
    struct buf data = { 0 };

    int count = write_data(&data, school, item ? item->as.ptr : NULL);
    if (count)
        write_event(out, school, &data, day, !item);
    out->failed = out->failed || data.failed;
    buf_fini(&data);
    if (!item)
        return REGISTER_NEW;
    return count ? REGISTER_CHANGED : REGISTER_SAME;
}
