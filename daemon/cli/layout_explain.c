/* layout_explain.c - see layout.h. */
#include "cli/layout.h"

#include <string.h>

#define EVENTS_SHOWN 6 /* behind one fact */
#define DEPTH_MAX    40

struct page {
    FILE *to;
    const struct json *subject;   /* that it is about */
    const struct json *rules;     /* of the answer */
    const struct json *events[3]; /* those that are named: that can change it, read, and behind */
    const char *shown[1024];      /* rules that have been printed */
    int shown_count;
};

static const char *text_of(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    return v && v->type == JSON_STRING ? v->as.string : NULL;
}

static bool is_true(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    return v && v->type == JSON_BOOL && v->as.boolean;
}

static bool is_bool(const struct json *v)
{
    return v && v->type == JSON_BOOL;
}

void layout_name(struct buf *b, const char *name)
{
    for (; name && *name; name++)
        buf_char(b, *name == '_' ? ' ' : *name);
}

static void put(FILE *to, struct buf *b, int indent)
{
    fprintf(to, "%*s%s\n", indent, "", buf_cstr(b));
    buf_reset(b);
}

/* ---- events ---- */

static void add_data(struct buf *b, const struct json *data)
{
    const char *separator = ": ";

    for (const struct json *m = data ? data->as.first : NULL; m; m = m->next) {
        buf_str(b, separator);
        separator = ", ";
        layout_name(b, m->name);
        buf_char(b, ' ');
        layout_value(b, m);
    }
}

/* The day, of an instant as JSON. */
static void add_day(struct buf *b, const struct json *moment)
{
    struct buf text = { 0 };

    layout_moment(&text, moment);
    buf_add(b, buf_cstr(&text), text.len < 10 ? text.len : 10);
    buf_fini(&text);
}

void layout_event(struct buf *b, const struct json *event, const struct json *about)
{
    struct buf day = { 0 }, recorded = { 0 };
    const char *by = text_of(event, "by");

    add_day(&day, json_get(event, "time"));
    add_day(&recorded, json_get(event, "recorded"));
    buf_printf(b, "%s  ", buf_cstr(&day));
    layout_value(b, json_get(event, "title"));
    if (text_of(event, "subject") && !json_is_string(about, text_of(event, "subject")))
        buf_printf(b, " (%s)", text_of(event, "subject"));
    add_data(b, json_get(event, "data"));
    if (strcmp(buf_cstr(&day), buf_cstr(&recorded)) != 0)
        buf_printf(b, " (recorded %s%s%s)", buf_cstr(&recorded), by ? " by " : "", by ? by : "");
    else if (by)
        buf_printf(b, " (by %s)", by);
    buf_fini(&day);
    buf_fini(&recorded);
}

static const struct json *find_event(const struct page *p, int64_t seq)
{
    for (int i = 0; i < 3; i++)
        for (const struct json *e = p->events[i] ? p->events[i]->as.first : NULL; e; e = e->next) {
            const struct json *s = json_get(e, "seq");
            if (s && s->type == JSON_INT && s->as.integer == seq)
                return e;
        }
    return NULL;
}

/* The newest ones: what made the fact what it is. */
static void print_events(const struct page *p, const struct json *seqs, int indent)
{
    struct buf b = { 0 };
    uint32_t skip = seqs && seqs->len > EVENTS_SHOWN ? seqs->len - EVENTS_SHOWN : 0, i = 0;

    if (skip > 0) {
        buf_printf(&b, "%u earlier event%s, and", (unsigned)skip, skip == 1 ? "" : "s");
        put(p->to, &b, indent);
    }
    for (const struct json *s = seqs ? seqs->as.first : NULL; s; s = s->next, i++) {
        const struct json *e = i >= skip ? find_event(p, s->as.integer) : NULL;
        if (!e)
            continue;
        layout_event(&b, e, p->subject);
        put(p->to, &b, indent);
    }
    buf_fini(&b);
}

/* ---- what a rule looked at ---- */

static void print_fact(const struct page *p, const struct json *fact, int indent)
{
    struct buf b = { 0 };

    layout_name(&b, text_of(fact, "name"));
    if (text_of(fact, "key")) {
        buf_str(&b, ", ");
        layout_name(&b, text_of(fact, "key"));
    }
    buf_str(&b, ": ");
    layout_value(&b, json_get(fact, "value"));
    if (is_true(fact, "moved")) {
        buf_str(&b, ", moved on ");
        add_day(&b, json_get(fact, "since"));
    }
    put(p->to, &b, indent);
    print_events(p, json_get(fact, "events"), indent + 2);
    buf_fini(&b);
}

static void print_param(const struct page *p, const struct json *param, int indent)
{
    const struct json *from = json_get(param, "from"), *until = json_get(param, "until");
    struct buf b = { 0 };

    buf_str(&b, "parameter ");
    layout_name(&b, text_of(param, "name"));
    buf_str(&b, ": ");
    layout_value(&b, json_get(param, "value"));
    if (from && from->type == JSON_STRING) {
        buf_str(&b, " from ");
        layout_moment(&b, from);
    }
    if (until && until->type == JSON_STRING) {
        buf_str(&b, " until ");
        layout_moment(&b, until);
    }
    put(p->to, &b, indent);
    buf_fini(&b);
}

static void print_moment(const struct page *p, const struct json *moment, int indent)
{
    struct buf b = { 0 };

    layout_moment(&b, json_get(moment, "time"));
    buf_str(&b, is_true(moment, "reached") ? " has come" : " has not come yet");
    put(p->to, &b, indent);
    buf_fini(&b);
}

static void print_reads(const struct page *p, const struct json *rule, int indent)
{
    const struct json *facts = json_get(rule, "facts"), *params = json_get(rule, "parameters");
    const struct json *moments = json_get(rule, "moments");

    for (const struct json *f = facts ? facts->as.first : NULL; f; f = f->next)
        print_fact(p, f, indent);
    for (const struct json *x = params ? params->as.first : NULL; x; x = x->next)
        print_param(p, x, indent);
    for (const struct json *m = moments ? moments->as.first : NULL; m; m = m->next)
        print_moment(p, m, indent);
}

/* ---- a rule ---- */

static const struct json *find_rule(const struct page *p, const char *name)
{
    for (const struct json *r = p->rules ? p->rules->as.first : NULL; r; r = r->next)
        if (text_of(r, "rule") && strcmp(text_of(r, "rule"), name) == 0)
            return r;
    return NULL;
}

static void add_need(struct buf *b, const struct json *rule)
{
    const struct json *needed = json_get(rule, "needed");

    if (!needed)
        return;
    buf_str(b, ": ");
    layout_value(b, json_get(rule, "seen"));
    buf_str(b, ", needed ");
    layout_value(b, json_get(needed, "is"));
    buf_char(b, ' ');
    layout_value(b, json_get(needed, "value"));
}

static void add_waiver(struct buf *b, const struct json *rule)
{
    const struct json *w = json_get(rule, "waived");

    if (!w)
        return;
    buf_str(b, " (waived");
    if (text_of(w, "by"))
        buf_printf(b, " by %s", text_of(w, "by"));
    if (text_of(w, "last_day"))
        buf_printf(b, " until the end of %s", text_of(w, "last_day"));
    buf_char(b, ')');
}

static bool was_shown(struct page *p, const char *name)
{
    for (int i = 0; i < p->shown_count; i++)
        if (strcmp(p->shown[i], name) == 0)
            return true;
    if (p->shown_count < 1024)
        p->shown[p->shown_count++] = name;
    return false;
}

static void print_rule(struct page *p, const char *name, int depth);

static void print_inner(struct page *p, const struct json *names, int depth)
{
    for (const struct json *n = names ? names->as.first : NULL; n; n = n->next)
        if (n->type == JSON_STRING)
            print_rule(p, n->as.string, depth);
}

static void print_rule(struct page *p, const char *name, int depth)
{
    const struct json *rule = find_rule(p, name), *value = json_get(rule, "value");
    struct buf b = { 0 };

    if (!rule || depth > DEPTH_MAX)
        return;
    buf_str(&b, !is_bool(value) ? "      " : value->as.boolean ? "[yes] " : "[no]  ");
    layout_value(&b, json_get(rule, "title"));
    if (!is_bool(value)) {
        buf_str(&b, ": ");
        layout_value(&b, value);
    }
    add_need(&b, rule);
    add_waiver(&b, rule);
    bool is_again = was_shown(p, name);
    buf_str(&b, is_again ? " (see above)" : "");
    put(p->to, &b, depth * 2);
    buf_fini(&b);
    if (is_again)
        return;
    print_reads(p, rule, depth * 2 + 8);
    print_inner(p, json_get(rule, "criteria"), depth + 1);
    print_inner(p, json_get(rule, "reads"), depth + 1);
}

/* ---- the page ---- */

void layout_who(struct buf *b, const struct json *object)
{
    if (text_of(object, "name")) {
        layout_value(b, json_get(object, "name"));
        buf_str(b, ", ");
    }
    layout_value(b, json_get(object, "subject"));
    if (text_of(object, "hub")) {
        buf_str(b, ", hub ");
        layout_value(b, json_get(object, "hub"));
    }
}

static void print_value_line(FILE *to, const struct json *answer)
{
    struct buf b = { 0 };

    layout_who(&b, answer);
    put(to, &b, 0);
    layout_value(&b, json_get(answer, "title"));
    buf_str(&b, ": ");
    layout_value(&b, json_get(answer, "value"));
    buf_str(&b, "  (");
    layout_value(&b, json_get(answer, "decision"));
    buf_char(&b, ')');
    put(to, &b, 0);
    if (text_of(answer, "error")) {
        buf_printf(&b, "the rule failed: %s", text_of(answer, "error"));
        put(to, &b, 2);
    }
    buf_fini(&b);
}

static bool is_same(const struct json *a, const struct json *b, const char *name)
{
    return text_of(a, name) && text_of(b, name) && strcmp(text_of(a, name), text_of(b, name)) == 0;
}

/* The event of this source and id. */
static const struct json *find_named(const struct page *p, const struct json *name)
{
    for (int i = 0; i < 3; i++)
        for (const struct json *e = p->events[i] ? p->events[i]->as.first : NULL; e; e = e->next)
            if (is_same(name, e, "id") && is_same(name, e, "source"))
                return e;
    return NULL;
}

/* The events that are the cause, as they are told further down. */
static void print_cause(const struct page *p, const struct json *cause, const struct json *begins)
{
    const struct json *events = json_get(cause, "events");
    struct buf b = { 0 };

    for (const struct json *c = events ? events->as.first : NULL; c; c = c->next) {
        const struct json *e = find_named(p, c);
        if (!e)
            continue;
        buf_str(&b, "because of ");
        layout_event(&b, e, p->subject);
        put(p->to, &b, 4);
    }
    if (begins) {
        buf_str(&b, "when its history begins: ");
        layout_value(&b, begins);
        put(p->to, &b, 4);
    }
    const struct json *moment = json_get(cause, "moment");
    if (moment && moment->type == JSON_STRING) {
        buf_str(&b, "because ");
        layout_moment(&b, moment);
        buf_str(&b, " had come");
        put(p->to, &b, 4);
    }
    buf_fini(&b);
}

static void print_times(const struct page *p, const struct json *answer)
{
    const struct json *until = json_get(answer, "until"), *known = json_get(answer, "known");
    const struct json *generation = json_get(answer, "generation");
    struct buf b = { 0 };

    buf_str(&b, "since ");
    layout_moment(&b, json_get(answer, "since"));
    put(p->to, &b, 2);
    print_cause(p, json_get(answer, "cause"), json_get(answer, "begins"));
    if (until && until->type == JSON_STRING) {
        buf_str(&b, "until ");
        layout_moment(&b, until);
        buf_str(&b, " at the latest, if nothing new is recorded");
    } else {
        buf_str(&b, "and stays so until something new is recorded");
    }
    put(p->to, &b, 2);
    buf_str(&b, "asked about ");
    layout_moment(&b, json_get(answer, "at"));
    if (known && known->type == JSON_STRING) {
        buf_str(&b, ", with what was known ");
        layout_known(&b, known);
    }
    if (generation && generation->type == JSON_INT)
        buf_printf(&b, ", by generation %lld of the rules", (long long)generation->as.integer);
    put(p->to, &b, 2);
    buf_fini(&b);
}

/* Nothing that a school does would help: the rule asks for something and its opposite. */
static void print_contradiction(const struct page *p, const struct json *names)
{
    struct buf b = { 0 };

    if (!names)
        return;
    buf_str(&b, "Nothing can make this true: the rule contradicts itself");
    for (const struct json *n = names->as.first; n; n = n->next)
        buf_printf(&b, "%s%s", n == names->as.first ? "; for it and against it counts " : ", ",
                   n->as.string);
    put(p->to, &b, 2);
    buf_fini(&b);
}

static void print_missing(const struct page *p, const struct json *answer)
{
    const struct json *missing = json_get(answer, "missing");
    struct buf b = { 0 };

    if (!missing || missing->len == 0)
        return;
    fputs("\nWhat is missing\n", p->to);
    print_contradiction(p, json_get(answer, "contradiction"));
    for (const struct json *m = missing->as.first; m; m = m->next) {
        buf_str(&b, is_true(m, "wanted") ? "- " : "- not: ");
        layout_value(&b, json_get(m, "title"));
        add_need(&b, m);
        put(p->to, &b, 2);
        if (text_of(m, "advice") && !is_true(answer, "alert")) { /* nobody wants it on */
            buf_str(&b, text_of(m, "advice"));
            put(p->to, &b, 4);
        }
    }
    buf_fini(&b);
}

/* An alert's advice is for when it is on. */
static void print_to_do(struct page *p, const struct json *answer)
{
    const char *decision = text_of(answer, "decision");
    const struct json *rule = decision ? find_rule(p, decision) : NULL;
    struct buf b = { 0 };

    if (!is_true(answer, "alert") || !is_true(answer, "value") || !text_of(rule, "advice"))
        return;
    fputs("\nWhat to do\n", p->to);
    layout_value(&b, json_get(rule, "advice"));
    put(p->to, &b, 2);
    buf_fini(&b);
}

/* Those that can change the answer. */
static void print_deciding(const struct page *p)
{
    struct buf b = { 0 };

    if (!p->events[0] || p->events[0]->len == 0)
        return;
    fputs("\nWithout these events it would be otherwise\n", p->to);
    for (const struct json *e = p->events[0]->as.first; e; e = e->next) {
        const struct json *with = json_get(e, "with"), *alone = json_get(e, "alone");
        layout_event(&b, e, p->subject);
        if (with)
            buf_printf(&b, " (only if %u other%s of them had not come either)", (unsigned)with->len,
                       with->len == 1 ? "" : "s");
        else if (!is_bool(alone))
            buf_str(&b, " (perhaps: there are too many to try each)");
        put(p->to, &b, 2);
    }
    buf_fini(&b);
}

void layout_explanation(FILE *to, const struct json *answer)
{
    struct page p = { .to = to,
                      .subject = json_get(answer, "subject"),
                      .rules = json_get(answer, "rules"),
                      .events = { json_get(answer, "events"), json_get(answer, "read"),
                                  json_get(answer, "behind") } };
    const struct json *behind = json_get(answer, "behind");

    print_value_line(to, answer);
    print_times(&p, answer);
    print_missing(&p, answer);
    print_to_do(&p, answer);
    fputs("\nWhy\n", to);
    print_rule(&p, text_of(answer, "decision") ? text_of(answer, "decision") : "", 1);
    print_deciding(&p);
    if (behind && behind->len > 0)
        fprintf(to,
                "\n%u earlier event%s looked at on the way: --json lists %s, and `pathway history` "
                "shows %s.\n",
                (unsigned)behind->len, behind->len == 1 ? " was" : "s were",
                behind->len == 1 ? "it" : "them", behind->len == 1 ? "it" : "them");
}
