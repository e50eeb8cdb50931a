/* answer_table.c - "csv": a table of people's to events, by the types of today's rules. */
#include <string.h>

#include "engine/csv_events.h"
#include "engine/reader.h"

struct told {
    struct buf events, errors, unused;
};

static void note_event(int64_t row, int64_t line, const char *json, size_t len, void *arg)
{
    struct told *t = arg;

    (void)line;
    buf_printf(&t->events, "%s[%lld,", t->events.len > 0 ? "," : "", (long long)row);
    json_write_string(&t->events, json, len);
    buf_char(&t->events, ']');
}

static void note_error(int64_t row, int64_t line, const char *column, const char *detail, void *arg)
{
    struct told *t = arg;

    buf_printf(&t->errors,
               "%s{\"row\":%lld,\"line\":%lld,\"column\":", t->errors.len > 0 ? "," : "",
               (long long)row, (long long)line);
    json_write_cstr(&t->errors, column);
    buf_str(&t->errors, ",\"detail\":");
    json_write_cstr(&t->errors, detail);
    buf_char(&t->errors, '}');
}

static void note_unused(const char *column, void *arg)
{
    struct told *t = arg;

    buf_str(&t->unused, t->unused.len > 0 ? "," : "");
    json_write_cstr(&t->unused, column);
}

static enum err_code convert(struct buf *out, struct reader *r, const struct json *params,
                             struct err *err)
{
    const struct json *text = json_get(params, "text");
    const char *name, *type;
    struct told t = { 0 };

    if (params_text(&name, params, "name", err) != OK ||
        params_text(&type, params, "type", err) != OK)
        return err->code;
    if (!text || text->type != JSON_STRING)
        return err_set(err, ERR_INPUT, "text: found %s, expected CSV", json_type_name(text));
    const struct csv_events c = { .name = name ? name : "the table",
                                  .type = type,
                                  .mapping = json_get(params, "mapping"),
                                  .catalog = rulebook_catalog(r->rules),
                                  .event = note_event,
                                  .error = note_error,
                                  .unused = note_unused,
                                  .arg = &t };
    enum err_code rc = csv_events_read(&c, text->as.string, text->len, err);
    if (rc == OK && (t.events.failed || t.errors.failed))
        rc = err_set(err, ERR_LIMIT, "no memory for the answer");
    if (rc == OK)
        buf_printf(out, "{\"events\":[");
    if (rc == OK) {
        buf_add(out, t.events.data, t.events.len);
        buf_str(out, "],\"errors\":[");
        buf_add(out, t.errors.data, t.errors.len);
        buf_str(out, "],\"unused\":[");
        buf_add(out, t.unused.data, t.unused.len);
        buf_str(out, "]}");
    }
    buf_fini(&t.events);
    buf_fini(&t.errors);
    buf_fini(&t.unused);
    return rc;
}

enum err_code answer_table(struct buf *out, struct reader *r, const struct json *params,
                           struct err *err)
{
    static const char *const KNOWN[] = { "name", "type", "mapping", "text", NULL };

    if (params_check(params, KNOWN, err) != OK || rules_of_today(r, err) != OK ||
        reader_need_rules(r, err) != OK)
        return err->code;
    return convert(out, r, params, err);
}
