/* layout_history.c - see layout.h. */
#include "cli/layout.h"

static const char *text_of(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    return v && v->type == JSON_STRING ? v->as.string : NULL;
}

static void put(FILE *to, struct buf *b)
{
    fprintf(to, "%s\n", buf_cstr(b));
    buf_reset(b);
}

static void print_event(FILE *to, const struct json *event, const struct json *about)
{
    const struct json *late = json_get(event, "late"), *voided = json_get(event, "voided");
    struct buf b = { 0 };

    bool is_taken_over = text_of(event, "taken_over");
    layout_event(&b, event, is_taken_over ? json_get(event, "taken_over") : about);
    if (is_taken_over)
        buf_printf(&b, " [taken over from %s]", text_of(event, "taken_over"));
    if (late && late->type == JSON_BOOL && late->as.boolean)
        buf_str(&b, " [late]");
    if (voided) {
        buf_str(&b, " [voided");
        if (text_of(voided, "recorded")) {
            buf_str(&b, " on ");
            layout_moment(&b, json_get(voided, "recorded"));
        }
        buf_char(&b, ']');
    }
    put(to, &b);
    buf_fini(&b);
}

static void print_moves(FILE *to, const struct json *moves)
{
    struct buf b = { 0 };

    for (const struct json *m = moves ? moves->as.first : NULL; m; m = m->next) {
        buf_str(&b, "            moved: ");
        layout_name(&b, text_of(m, "fact"));
        buf_str(&b, ": ");
        layout_values(&b, m);
        put(to, &b);
    }
    buf_fini(&b);
}

static void print_changes(FILE *to, const struct json *changes)
{
    struct buf b = { 0 };

    for (const struct json *c = changes ? changes->as.first : NULL; c; c = c->next) {
        buf_str(&b, "            ");
        layout_decision(&b, c);
        put(to, &b);
    }
    buf_fini(&b);
}

static void print_heading(FILE *to, const struct json *answer)
{
    const struct json *at = json_get(answer, "at"), *known = json_get(answer, "known");
    struct buf b = { 0 };

    layout_who(&b, answer);
    put(to, &b);
    if (at && at->type == JSON_STRING) {
        buf_str(&b, "up to ");
        layout_moment(&b, at);
    }
    if (known && known->type == JSON_STRING) {
        buf_str(&b, b.len ? ", with what was known " : "with what was known ");
        layout_known(&b, known);
    }
    buf_str(&b, b.len ? "\n" : "");
    put(to, &b);
    buf_fini(&b);
}

void layout_history(FILE *to, const struct json *answer)
{
    const struct json *items = json_get(answer, "items");
    struct buf b = { 0 };

    print_heading(to, answer);
    for (const struct json *i = items ? items->as.first : NULL; i; i = i->next) {
        const struct json *events = json_get(i, "events");
        for (const struct json *e = events ? events->as.first : NULL; e; e = e->next)
            print_event(to, e, json_get(answer, "subject"));
        if (!events || events->len == 0) {
            layout_moment(&b, json_get(i, "time"));
            buf_str(&b, "  this moment came");
            put(to, &b);
        }
        print_moves(to, json_get(i, "moves"));
        print_changes(to, json_get(i, "changes"));
    }
    buf_fini(&b);
}
