/* layout_whatif.c - see layout.h. What would be decided otherwise: the counts first, then who. */
#include "cli/layout.h"

#include <string.h>

#define SHOWN_MAX 20 /* subjects; all of them are in the rows */

static long long number(const struct json *object, const char *name)
{
    const struct json *n = json_get(object, name);
    return n && n->type == JSON_INT ? n->as.integer : 0;
}

static const struct json *first_of(const struct json *list)
{
    return list && list->len > 0 ? list->as.first : NULL;
}

static void write_value(struct buf *b, const struct json *value)
{
    const struct json *error = json_get(value, "error");

    if (error)
        buf_str(b, "error: ");
    layout_value(b, error ? error : value);
}

static void print_heading(FILE *to, const struct json *answer, const char *rules)
{
    const struct json *set = json_get(answer, "set");
    struct buf b = { 0 };

    buf_str(&b, "What would be decided otherwise");
    if (rules)
        buf_printf(&b, " by the rules in %s", rules);
    for (const struct json *p = set && set->type == JSON_OBJECT ? first_of(set) : NULL; p;
         p = p->next) {
        buf_printf(&b, "%s%s = ",
                   p != set->as.first ? ", "
                   : rules            ? " and with "
                                      : " with ",
                   p->name);
        layout_value(&b, p);
    }
    buf_str(&b, ", as of ");
    layout_moment(&b, json_get(answer, "at"));
    fprintf(to, "%s\n", buf_cstr(&b));
    buf_fini(&b);
}

/* "no 20 -> 32, yes 40 -> 28": how many have each value. */
static void print_values(FILE *to, const struct json *values)
{
    struct buf b = { 0 };

    for (const struct json *v = first_of(values); v; v = v->next) {
        if (number(v, "old") == number(v, "new"))
            continue;
        buf_str(&b, b.len ? ", " : "  ");
        write_value(&b, json_get(v, "value"));
        buf_printf(&b, " %lld -> %lld", number(v, "old"), number(v, "new"));
    }
    fprintf(to, "%s\n", buf_cstr(&b));
    buf_fini(&b);
}

static void print_now(FILE *to, const struct json *now)
{
    const struct json *decisions = json_get(now, "decisions");
    int width = 8;

    fprintf(to, "\n%lld of %lld would stand otherwise.\n", number(now, "changed"),
            number(now, "subjects"));
    for (const struct json *d = first_of(decisions); d; d = d->next)
        width = layout_width(d->name) > width ? layout_width(d->name) : width;
    for (const struct json *d = first_of(decisions); d; d = d->next) {
        fputs("  ", to);
        layout_pad(to, d->name, width);
        fprintf(to, " %6lld", number(d, "changed"));
        print_values(to, json_get(d, "values"));
    }
}

static void print_year(FILE *to, const struct json *moment)
{
    const char *comma = "  ";

    fprintf(to, "  %s %6lld of %lld", json_get(moment, "year")->as.string,
            number(moment, "changed"), number(moment, "subjects"));
    for (const struct json *d = first_of(json_get(moment, "decisions")); d; d = d->next) {
        fprintf(to, "%s%s %lld", comma, d->name, number(d, "changed"));
        comma = ", ";
    }
    fputc('\n', to);
}

static void print_past(FILE *to, const struct json *moments)
{
    bool found = false;

    for (const struct json *m = first_of(moments); m && m->next; m = m->next) {
        if (number(m, "changed") == 0)
            continue;
        fputs(found ? "" : "\nAt the end of past years\n", to);
        found = true;
        print_year(to, m);
    }
    if (!found)
        fputs("\nAt the end of past years nothing would have been otherwise.\n", to);
}

/* A fact as people say it, behind the rule that reads it in brackets. */
static void write_fact(struct buf *b, const char *fact, bool is_itself, bool is_first)
{
    buf_str(b, !is_first ? ", " : is_itself ? "" : " (");
    for (const char *p = fact; *p; p++)
        buf_char(b, *p == '_' ? ' ' : *p);
}

/* The rule that makes the difference, and the facts that make it. */
static void write_reason(struct buf *b, const struct json *change)
{
    const char *decision = json_get(change, "decision")->as.string;

    for (const struct json *why = first_of(json_get(change, "because")); why; why = why->next) {
        const struct json *facts = json_get(why, "facts");
        bool is_itself = json_is_string(json_get(why, "rule"), decision);
        if (is_itself && !first_of(facts))
            continue;
        buf_str(b, b->len ? ", " : "by ");
        if (!is_itself)
            buf_str(b, json_get(why, "rule")->as.string);
        for (const struct json *f = first_of(facts); f; f = f->next)
            write_fact(b, f->as.string, is_itself, f == facts->as.first);
        buf_str(b, !is_itself && first_of(facts) ? ")" : "");
    }
}

static void print_change(FILE *to, const struct json *c)
{
    struct buf b = { 0 };

    buf_printf(&b, "%s: ", json_get(c, "decision")->as.string);
    layout_values(&b, c);
    fprintf(to, "      %s\n", buf_cstr(&b));
    buf_reset(&b);
    write_reason(&b, c);
    if (b.len > 0)
        fprintf(to, "        %s\n", buf_cstr(&b));
    buf_fini(&b);
}

static void print_who(FILE *to, const struct json *c)
{
    struct buf b = { 0 };

    layout_who(&b, c);
    fprintf(to, "  %s\n", buf_cstr(&b));
    buf_fini(&b);
}

static void print_subjects(FILE *to, const struct json *changes)
{
    const char *last = "";
    int shown = 0;

    for (const struct json *c = first_of(changes); c; c = c->next) {
        const char *subject = json_get(c, "subject")->as.string;
        bool is_next = strcmp(subject, last) != 0;
        if (is_next && ++shown > SHOWN_MAX)
            break;
        if (is_next) {
            fputs(shown == 1 ? "\nWho\n" : "", to);
            print_who(to, c);
        }
        last = subject;
        print_change(to, c);
    }
    if (shown > SHOWN_MAX)
        fprintf(to, "  ... and others: --format csv lists all.\n");
}

void layout_whatif(FILE *to, const struct json *answer, const char *rules)
{
    const struct json *moments = json_get(answer, "moments"), *now = first_of(moments);

    while (now && now->next)
        now = now->next;
    print_heading(to, answer, rules);
    print_now(to, now);
    print_past(to, moments);
    print_subjects(to, json_get(answer, "changes"));
}
