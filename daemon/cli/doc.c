/* doc.c - `pathway doc`: the rules as a page to be read. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/digest.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/place.h"
#include "cli/sentences.h"
#include "engine/coverage.h"
#include "lua/declared.h"

static const struct option_spec OPTIONS[] = {
    { "hub", "CODE", "the rules as they stand in this hub" },
    { "database", "FILE", "say whom each rule affects, by the schools of this database" },
    OPTION_AT,
    OPTION_END,
};

struct page {
    struct buf *out;
    struct rulebook *rules;
    struct ruleset *rs;
    const struct tallies *schools; /* NULL: nobody asked */
};

/* ---- a rule ---- */

static void write_link(struct page *p, const char *name)
{
    buf_printf(p->out, "[`%s`](#%s)", name, name);
}

static void write_criteria(struct page *p, uint16_t rule, const char *form)
{
    uint16_t criterion;
    bool is_first = true;

    for (int i = 0; ruleset_criterion(&criterion, p->rs, rule, i); i++) {
        struct rule_info c = ruleset_rule(p->rs, criterion);
        if (is_first)
            buf_printf(p->out, "\nMet when %s:\n\n",
                       strcmp(form, "all_of") == 0   ? "all of these are"
                       : strcmp(form, "any_of") == 0 ? "at least one of these is"
                                                     : "none of these is");
        is_first = false;
        buf_printf(p->out, "- %s: ", c.title ? c.title : c.name);
        write_link(p, c.name);
        buf_char(p->out, '\n');
    }
}

static void write_reads(struct page *p, uint16_t rule)
{
    struct param_info param;
    struct fact_info fact;
    enum subject_kind kind = ruleset_rule(p->rs, rule).of;
    const char *comma = "\nLooks at: ";
    uint16_t criterion;
    bool has_criteria = ruleset_criterion(&criterion, p->rs, rule, 0);

    for (uint16_t i = 0; i < ruleset_rule_count(p->rs) && !has_criteria; i++) {
        if (!ruleset_reads_rule(p->rs, rule, i))
            continue;
        buf_str(p->out, comma);
        comma = ", ";
        write_link(p, ruleset_rule(p->rs, i).name);
    }
    for (int i = 0; ruleset_fact(&fact, p->rs, kind, i); i++) {
        if (!ruleset_reads_fact(p->rs, rule, i))
            continue;
        buf_printf(p->out, "%sthe fact `%s`", comma, fact.name);
        comma = ", ";
    }
    buf_str(p->out, *comma == ',' ? "\n" : "");
    for (int i = 0; ruleset_param(&param, p->rs, i); i++) {
        if (!ruleset_reads_param(p->rs, rule, i))
            continue;
        buf_printf(p->out, "\nParameter `%s`: ", param.name);
        ruleset_write_param(p->out, p->rs, i);
        buf_str(p->out, "\n");
    }
}

static void write_affected(struct page *p, uint16_t rule)
{
    const struct tally *t = p->schools ? &p->schools->items[rule] : NULL;

    if (!t)
        return;
    const char *of = subject_kind_name(ruleset_rule(p->rs, rule).of);
    if (t->met + t->unmet + t->waived > 0)
        buf_printf(p->out, "\nNow: true for %" PRIu64 " %ss, false for %" PRIu64,
                   t->met + t->waived, of, t->unmet);
    else
        buf_printf(p->out, "\nNow: a value for %" PRIu64 " %ss", t->other, of);
    if (t->waived)
        buf_printf(p->out, ", %" PRIu64 " of the true by a waiver", t->waived);
    if (t->failed)
        buf_printf(p->out, ", **an error for %" PRIu64 "**", t->failed);
    buf_char(p->out, '\n');
}

static void write_rule(struct page *p, uint16_t index)
{
    struct rule_info r = ruleset_rule(p->rs, index);

    buf_printf(p->out, "\n### <a id=\"%s\"></a>%s\n\n`%s`%s%s, %s\n", r.name,
               r.title ? r.title : r.name, r.name, r.is_decision ? "" : ", a criterion",
               r.is_waivable ? ", may be waived" : "", r.where);
    write_criteria(p, index, r.form);
    write_reads(p, index);
    if (r.advice)
        buf_printf(p->out, "\nWhen it is %s: %s\n", r.is_alert ? "true" : "not met", r.advice);
    write_affected(p, index);
    if (r.source)
        buf_printf(p->out, "\nSource: %s\n", r.source);
}

/* ---- the page ---- */

enum section { DECISIONS, ALERTS, CRITERIA, SECTIONS };

static enum section section_of(const struct rule_info *r)
{
    return r->is_alert ? ALERTS : r->is_decision ? DECISIONS : CRITERIA;
}

static void write_sections(struct page *p)
{
    static const char *const TITLES[SECTIONS][SUBJECT_KINDS] = {
        { "What is decided about a school", "What is decided about a group",
          "What is decided about a hub" },
        { "What needs somebody: alerts of a school", "Alerts of a group", "Alerts of a hub" },
        { "Criteria that explain these decisions", "Criteria of a group", "Criteria of a hub" },
    };

    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        for (int section = 0; section < SECTIONS; section++) {
            bool is_first = true;
            for (uint16_t i = 0; i < ruleset_rule_count(p->rs); i++) {
                struct rule_info r = ruleset_rule(p->rs, i);
                if ((int)r.of != kind || (int)section_of(&r) != section)
                    continue;
                if (is_first)
                    buf_printf(p->out, "\n## %s\n", TITLES[section][kind]);
                is_first = false;
                write_rule(p, i);
            }
        }
    }
}

static void write_params(struct page *p)
{
    struct param_info param;

    buf_str(p->out, "\n## Parameters\n\n| parameter | value | where |\n|---|---|---|\n");
    for (int i = 0; ruleset_param(&param, p->rs, i); i++) {
        buf_printf(p->out, "| `%s` | ", param.name);
        ruleset_write_param(p->out, p->rs, i);
        buf_printf(p->out, " | %s |\n", param.where);
    }
}

static void write_events(struct page *p)
{
    const struct strmap *types = &ruleset_catalog(p->rs)->types;

    buf_str(p->out, "\n## Events\n\n| event | what happened | where |\n|---|---|---|\n");
    for (uint32_t i = 0; i < types->count; i++) {
        const struct event_type *t = types->items[i].as.ptr;
        buf_printf(p->out, "| `%s` | %s | %s |\n", t->name, t->title, t->declared_at);
    }
}

/* Sentences of the text in the pack's folder that no rule quotes as its source. */
static enum err_code write_unnamed(struct page *p, bool of_overlay, struct err *err)
{
    struct sentences s = { 0 };
    struct buf path = { 0 };
    const char *folder = ruleset_folder(p->rs, of_overlay);
    enum err_code rc = OK;

    if (!folder)
        return OK;
    buf_printf(&path, "%s/source.txt", folder);
    rc = sentences_read(&s, buf_cstr(&path), err);
    for (uint16_t i = 0; rc == OK && i < ruleset_rule_count(p->rs); i++) {
        sentences_name(&s, ruleset_rule(p->rs, i).source);
        sentences_name_title(&s, ruleset_rule(p->rs, i).title);
    }
    if (rc == OK)
        buf_printf(p->out, "\n## Sentences of the source that no rule names\n\n");
    bool is_first = true;
    for (int i = 0; rc == OK && i < s.count; i++) {
        if (s.items[i].is_named)
            continue;
        buf_printf(p->out, "- %s%s%s (%s:%d)\n", s.items[i].heading,
                   *s.items[i].heading ? ": " : "", s.items[i].text, buf_cstr(&path),
                   s.items[i].line);
        is_first = false;
    }
    if (rc == OK && is_first)
        buf_str(p->out, "None.\n");
    sentences_fini(&s);
    buf_fini(&path);
    return rc == ERR_ABSENT ? OK : rc; /* a pack need not bring the text that it is made from */
}

static enum err_code write_page(struct page *p, struct err *err)
{
    const char *hub = ruleset_hub(p->rs);

    buf_printf(p->out, "# The rules%s%s\n\n", hub ? " of hub " : "", hub ? hub : "");
    buf_printf(p->out,
               "Made by `pathway doc` from the packs themselves (digest %.12s); change those, not "
               "this page.\n",
               ruleset_digest(p->rs));
    write_sections(p);
    write_params(p);
    write_events(p);
    enum err_code rc = write_unnamed(p, false, err);
    if (rc == OK && hub)
        rc = write_unnamed(p, true, err);
    return rc;
}

/* ---- the command ---- */

static enum err_code choose(struct page *p, const char *hub, struct err *err)
{
    p->rs = rulebook_of_hub(p->rules, hub);
    if (!hub && rulebook_is_one_overlay(p->rules))
        p->rs = rulebook_at(p->rules, 1);
    if (hub && !ruleset_hub(p->rs))
        return err_set(err, ERR_INPUT,
                       "hub %.80s has no overlay here: the national rules hold there", hub);
    return OK;
}

static enum err_code count_schools(struct page *p, struct coverage *c, const struct args *args,
                                   struct err *err)
{
    const char *database = args_text(args, "database");
    struct clock clock;
    uint64_t subjects;
    int64_t at;
    int i = 0;

    if (!database)
        return args_text(args, "at") ? err_set(err, ERR_INPUT, "--at goes with --database") : OK;
    clock_init_real(&clock);
    enum err_code rc = args_moment(&at, args, "at", clock_now(&clock), err);
    if (rc == OK)
        rc = coverage_init(c, p->rules, err);
    if (rc == OK && (rc = coverage_database(c, &subjects, database, at, err)) == ERR_ABSENT)
        rc = err->code = ERR_IO; /* there is no such database: it could not, nobody said no */
    while (rc == OK && c->of[i].rules != p->rs)
        i++;
    p->schools = rc == OK ? &c->of[i] : NULL;
    return rc;
}

static enum cli_exit run(const struct args *args)
{
    const char *dir = args->operand_count ? args->operands[0] : rules_folder(NULL);
    struct problems problems = { 0 };
    struct coverage coverage = { 0 };
    struct buf out = { 0 };
    struct page page = { .out = &out };
    struct err err;

    enum err_code rc = civil_init(&err);
    if (rc == OK)
        rc = digest_init(&err);
    if (rc == OK)
        rc = rulebook_load(&page.rules, dir, rules_folder(NULL), &problems, &err);
    if (rc == OK)
        rc = choose(&page, args_text(args, "hub"), &err);
    if (rc == OK)
        rc = count_schools(&page, &coverage, args, &err);
    if (rc == OK)
        rc = write_page(&page, &err);
    if (rc == OK && out.failed)
        rc = err_set(&err, ERR_LIMIT, "no memory for the page");
    if (rc == OK)
        fputs(buf_cstr(&out), stdout);
    coverage_fini(&coverage);
    buf_fini(&out);
    rulebook_free(page.rules);
    problems_fini(&problems);
    return rc == OK ? CLI_DONE : cli_fail(&err);
}

const struct command doc_command = {
    .name = "doc",
    .operands = "[DIR]",
    .summary = "the rules as a page to be read, with sources and whom they affect",
    .help =
        "Prints a page (Markdown): each decision, alert and criterion with what it asks, its\n"
        "parameters, its source and what to do; with --database how many schools it holds for\n"
        "now. At the end stand the sentences of the pack's source.txt that no rule quotes. DIR is\n"
        "a rules folder or one pack's own; without it: this source tree's rules, else\n"
        "/etc/pathwayd/rules.",
    .example = "pathway doc rules > rules.md",
    .options = OPTIONS,
    .max_operands = 1,
    .run = run,
};
