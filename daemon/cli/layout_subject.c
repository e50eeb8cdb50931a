/* layout_subject.c - see layout.h. The record of one subject, what needs a person first. */
#include "cli/layout.h"

#include <string.h>

#include "base/civil.h"

void layout_moment(struct buf *b, const struct json *value)
{
    char text[DAY_TEXT];
    int64_t t;

    if (!value || value->type != JSON_STRING ||
        time_parse(&t, value->as.string, value->len, NULL) != OK) {
        layout_value(b, value);
        return;
    }
    int32_t day = london_day(t);
    if (london_midnight(day) == t) {
        buf_str(b, day_text(day, text));
        return;
    }
    buf_printf(b, "%.19sZ", value->as.string);
}

void layout_known(struct buf *b, const struct json *moment)
{
    struct buf text = { 0 };

    layout_moment(&text, moment);
    bool is_day = !strchr(buf_cstr(&text), 'T');
    buf_printf(b, "%s%s%s", is_day ? "when " : "at ", buf_cstr(&text), is_day ? " began" : "");
    buf_fini(&text);
}

static const struct json *decision(const struct json *answer, const char *name)
{
    return json_get(json_get(json_get(answer, "decisions"), name), "value");
}

static void print_value(FILE *to, const char *before, const struct json *value)
{
    struct buf b = { 0 };

    if (!value || value->type == JSON_NULL)
        return;
    layout_value(&b, value);
    fprintf(to, "%s%s", before, buf_cstr(&b));
    buf_fini(&b);
}

/* Of which moment it is told, when not of this one. */
static void print_asked(FILE *to, const struct json *answer)
{
    const struct json *at = json_get(answer, "at"), *known = json_get(answer, "known");
    struct buf b = { 0 };

    if (at) {
        buf_str(&b, "\nas of ");
        layout_moment(&b, at);
    }
    if (known) {
        buf_str(&b, at ? ", with what was known " : "\nwith what was known ");
        layout_known(&b, known);
    }
    fputs(buf_cstr(&b), to);
    buf_fini(&b);
}

static void print_heading(FILE *to, const struct json *answer)
{
    const struct json *facts = json_get(answer, "facts");
    const struct json *name = json_get(facts, "name");

    print_value(to, "", name);
    print_value(to, name && name->type != JSON_NULL ? "\n" : "", json_get(answer, "subject"));
    print_value(to, ", hub ", json_get(facts, "hub"));
    print_value(to, ", ", json_get(facts, "status"));
    print_asked(to, answer);
    print_value(to, "\nPhase: ", decision(answer, "pathway_phase"));
    print_value(to, " since ", decision(answer, "phase_since"));
    print_value(to, "\nNext step: ", decision(answer, "next_step"));
    fputc('\n', to);
}

static bool is_alert_on(const struct json *d)
{
    const struct json *alert = json_get(d, "alert"), *value = json_get(d, "value");

    return alert && alert->type == JSON_BOOL && alert->as.boolean && value &&
           value->type == JSON_BOOL && value->as.boolean;
}

static int widest(const struct json *object)
{
    int width = 0;

    for (const struct json *m = object && object->len ? object->as.first : NULL; m; m = m->next)
        width = layout_width(m->name) > width ? layout_width(m->name) : width;
    return width;
}

static bool has_dates(const struct json *d)
{
    const struct json *since = json_get(d, "since"), *until = json_get(d, "until");

    return (since && since->type == JSON_STRING) || (until && until->type == JSON_STRING);
}

static void print_dates(FILE *to, const struct json *d)
{
    struct buf b = { 0 };
    const struct json *since = json_get(d, "since"), *until = json_get(d, "until");

    if (since && since->type == JSON_STRING) {
        buf_str(&b, "  since ");
        layout_moment(&b, since);
    }
    if (until && until->type == JSON_STRING) {
        buf_str(&b, "  until ");
        layout_moment(&b, until);
    }
    fprintf(to, "%s\n", buf_cstr(&b));
    buf_fini(&b);
}

static void print_alerts(FILE *to, const struct json *decisions)
{
    bool found = false;

    for (const struct json *d = decisions->as.first; d; d = d->next) {
        if (!is_alert_on(d))
            continue;
        fputs(found ? "" : "\nAlerts\n", to);
        found = true;
        fputs("  ", to);
        layout_pad(to, d->name, widest(decisions));
        print_dates(to, d);
    }
}

static void print_decisions(FILE *to, const struct json *decisions)
{
    enum { VALUE_WIDTH = 14 }; /* longer ones push their dates to the right */

    fputs("\nDecisions\n", to);
    for (const struct json *d = decisions->as.first; d; d = d->next) {
        struct buf b = { 0 };
        layout_value(&b, json_get(d, "value"));
        fputs("  ", to);
        layout_pad(to, d->name, widest(decisions));
        fputs("  ", to);
        layout_pad(to, buf_cstr(&b), has_dates(d) ? VALUE_WIDTH : 0);
        print_dates(to, d);
        buf_fini(&b);
    }
}

static bool is_nested(const struct json *value)
{
    return value->type == JSON_ARRAY || value->type == JSON_OBJECT;
}

/* A single value, or a list or map of nothing but single values. */
static bool fits_a_line(const struct json *value)
{
    if (is_nested(value) && value->len)
        for (const struct json *item = value->as.first; item; item = item->next)
            if (is_nested(item))
                return false;
    return true;
}

static void print_line(FILE *to, const struct json *value)
{
    struct buf b = { 0 };

    layout_value(&b, value);
    fprintf(to, "%s\n", buf_cstr(&b));
    buf_fini(&b);
}

/* Each row of a list and member of a map on a line of its own, all of them at `column`, where the
 * first begins already. */
static void print_rows(FILE *to, const struct json *value, int column)
{
    for (const struct json *item = value->as.first; item; item = item->next) {
        fprintf(to, "%*s", item == value->as.first ? 0 : column, "");
        if (value->type == JSON_OBJECT) {
            struct json name = { .type = JSON_STRING,
                                 .as.string = item->name,
                                 .len = (uint32_t)strlen(item->name) };
            print_value(to, "", &name);
            fputs(fits_a_line(item) ? ": " : ":\n", to);
        }
        if (fits_a_line(item)) {
            print_line(to, item);
        } else if (value->type == JSON_OBJECT) {
            fprintf(to, "%*s", column + 2, "");
            print_rows(to, item, column + 2);
        } else {
            print_rows(to, item, column);
        }
    }
}

static void print_facts(FILE *to, const struct json *facts)
{
    int width = widest(facts);

    fputs("\nFacts\n", to);
    for (const struct json *fact = facts->as.first; fact; fact = fact->next) {
        fputs("  ", to);
        layout_pad(to, fact->name, width);
        fputs("  ", to);
        if (fits_a_line(fact) && !(fact->type == JSON_OBJECT && fact->len))
            print_line(to, fact);
        else
            print_rows(to, fact, width + 4);
    }
}

static void print_change(FILE *to, const struct json *c)
{
    const struct json *name = json_get(c, "name");

    print_value(to, "  ", name ? name : json_get(c, "kind")); /* there is one calendar */
    print_value(to, " from ", json_get(c, "from"));
    print_value(to, " to ", json_get(c, "to"));
    print_value(to, ": ", json_get(c, "title"));
    print_value(to, ": ", json_get(c, "here"));
    print_value(to, ", nationally ", json_get(c, "national"));
    print_value(to, "  (", json_get(c, "where"));
    fputs(json_get(c, "where") ? ")\n" : "\n", to);
}

/* What the overlay of its hub changes. */
static void print_overlay(FILE *to, const struct json *overlay)
{
    const struct json *changes = json_get(overlay, "changes");

    if (!changes || changes->len == 0)
        return;
    print_value(to, "\nHub ", json_get(overlay, "hub"));
    print_value(to, " has its own rules: ", json_get(overlay, "title"));
    fputc('\n', to);
    for (const struct json *c = changes->as.first; c; c = c->next)
        print_change(to, c);
}

/* ---- a hub ---- */

static int64_t number(const struct json *value)
{
    return value && value->type == JSON_INT ? value->as.integer : 0;
}

static const struct json *first_of(const struct json *list)
{
    return list && list->len > 0 ? list->as.first : NULL;
}

/* "Phases: none 20, preparatory 8" */
static void print_phases(FILE *to, const struct json *schools)
{
    const struct json *phases = json_get(json_get(schools, "decisions"), "pathway_phase");
    const char *before = "Phases: ";

    for (const struct json *p = first_of(phases); p; p = p->next, before = ", ")
        fprintf(to, "%s%s %lld", before, p->name, (long long)number(p));
    fputs(first_of(phases) ? "\n" : "", to);
}

static void print_groups(FILE *to, const struct json *groups)
{
    enum { SHOWN = 12 };
    int64_t count = number(json_get(groups, "count")), shown = 0;

    fprintf(to, "%lld group%s", (long long)count, count == 1 ? "" : "s");
    for (const struct json *g = first_of(json_get(groups, "items")); g && shown < SHOWN;
         g = g->next, shown++)
        fprintf(to, "%s%s", shown > 0 ? ", " : ": ", g->as.string);
    if (count > shown && shown > 0)
        fprintf(to, " and %lld more", (long long)(count - shown));
    fputc('\n', to);
}

/* What belongs to it, what of that needs a person, and which of its rules are in force. */
static void print_belonging(FILE *to, const struct json *answer)
{
    const struct json *schools = json_get(answer, "schools");
    const struct json *alerts = json_get(answer, "alerts"), *pack = json_get(answer, "pack");
    const struct json *open = json_get(json_get(json_get(schools, "decisions"), "is_open"), "true");
    int64_t count = number(json_get(schools, "count"));

    if (!schools)
        return;
    fprintf(to, "%lld school%s", (long long)count, count == 1 ? "" : "s");
    if (open)
        fprintf(to, ", %lld of them open", (long long)number(open));
    fputc('\n', to);
    print_phases(to, schools);
    print_groups(to, json_get(answer, "groups"));
    fputs(first_of(alerts) ? "\nAlerts, and how many schools or groups have them\n" : "", to);
    for (const struct json *a = first_of(alerts); a; a = a->next) {
        fputs("  ", to);
        layout_pad(to, a->name, widest(alerts));
        fprintf(to, "  %lld\n", (long long)number(a));
    }
    if (number(json_get(pack, "generation")) > 0) {
        struct buf b = { 0 };
        layout_moment(&b, json_get(pack, "since"));
        fprintf(to, "\nRules of its own since %s (generation %lld)\n", buf_cstr(&b),
                (long long)number(json_get(pack, "generation")));
        buf_fini(&b);
    }
}

void layout_subject(FILE *to, const struct json *answer)
{
    const struct json *facts = json_get(answer, "facts");
    const struct json *decisions = json_get(answer, "decisions");
    const struct json *wake = json_get(answer, "wake");

    print_heading(to, answer);
    print_belonging(to, answer);
    if (decisions && decisions->type == JSON_OBJECT)
        print_alerts(to, decisions);
    if (facts && facts->type == JSON_OBJECT && facts->len)
        print_facts(to, facts);
    if (decisions && decisions->type == JSON_OBJECT && decisions->len)
        print_decisions(to, decisions);
    print_overlay(to, json_get(answer, "overlay"));
    if (wake && wake->type == JSON_STRING) {
        struct buf b = { 0 };
        layout_moment(&b, wake);
        fprintf(to, "\nTime alone may change something next on %s\n", buf_cstr(&b));
        buf_fini(&b);
    }
}
