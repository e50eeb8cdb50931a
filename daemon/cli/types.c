/* types.c - `pathway types`: what packs declare, in the forms that editors and luacheck read. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/digest.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/place.h"
#include "lua/declared.h"
#include "lua/rulebook.h"

static const struct option_spec OPTIONS[] = {
    { "hub", "CODE", "with what this hub's overlay adds" },
    { "luacheck", NULL, "a configuration for luacheck, in place of annotations" },
    OPTION_END,
};

/* ---- types, as the Lua language server writes them ---- */

static void write_type(struct buf *out, const struct type *type, bool is_event);

static void write_row(struct buf *out, const struct type *type, bool is_event)
{
    buf_char(out, '{');
    for (uint32_t i = 0; i < type->field_count; i++) {
        buf_printf(out, "%s[\"%s\"]%s: ", i ? ", " : "", type->fields[i].name,
                   type->fields[i].is_optional ? "?" : "");
        write_type(out, type->fields[i].type, is_event);
    }
    buf_char(out, '}');
}

static void write_values(struct buf *out, const struct type *type)
{
    buf_char(out, '(');
    for (uint32_t i = 0; i < type->value_count; i++)
        buf_printf(out, "%s\"%s\"", i ? "|" : "", type->values[i]);
    buf_char(out, ')');
}

/* In an event a set is a list, and a time a text; in facts they are what rules work with. */
static void write_type(struct buf *out, const struct type *type, bool is_event)
{
    switch (type->kind) {
    case TYPE_BOOL:
        buf_str(out, "boolean");
        break;
    case TYPE_INT:
        buf_str(out, "integer");
        break;
    case TYPE_NUMBER:
        buf_str(out, "number");
        break;
    case TYPE_TIME:
        buf_str(out, "pathway.instant");
        break;
    case TYPE_ENUM:
        write_values(out, type);
        break;
    case TYPE_SET:
    case TYPE_LIST:
        buf_str(out, is_event ? "" : type->kind == TYPE_SET ? "pathway.set<" : "pathway.list<");
        write_type(out, type->of, is_event);
        buf_str(out, is_event ? "[]" : ">");
        break;
    case TYPE_MAP:
        buf_str(out, "table<");
        write_type(out, type->key, is_event);
        buf_str(out, ", ");
        write_type(out, type->of, is_event);
        buf_char(out, '>');
        break;
    case TYPE_ROW:
        write_row(out, type, is_event);
        break;
    case TYPE_DATE:
        buf_str(out, "pathway.day");
        break;
    case TYPE_YEAR:
        buf_str(out, "pathway.year");
        break;
    case TYPE_TEXT:
    case TYPE_PERSON:
    case TYPE_NOTE:
    case TYPE_SCHOOL:
    case TYPE_GROUP:
    case TYPE_HUB:
        buf_str(out, "string");
        break;
    }
}

/* ---- the page of annotations ---- */

static const char HEAD[] =
    "---@meta\n"
    "-- Made by `pathway types` from the packs: for the Lua language server, which shows what a\n"
    "-- school has and warns of what it has not. Not loaded by pathwayd.\n\n"
    "---@alias pathway.instant integer  a moment; midnight(...), year_end(...), e.time\n"
    "---@alias pathway.day string       2026-09-01\n"
    "---@alias pathway.year string      an academic year, 2024/25\n\n"
    "---@class pathway.set<T>: { add: fun(self, value: T), remove: fun(self, value: T),"
    " has: (fun(self, value: T): boolean), clear: fun(self) }\n"
    "---@class pathway.list<T>: { add: fun(self, value: T), remove_if: fun(self, holds: fun(row:"
    " T): boolean?), clear: fun(self) }\n\n"
    "---@class pathway.days\n---@operator add(pathway.instant): pathway.instant\n\n";

static const char METHODS[] =
    "---@field subject string                                        school/100001\n"
    "---@field reached fun(self, t: pathway.instant): boolean        has that moment come?\n"
    "---@field current_year fun(self): pathway.year                  the running academic year\n"
    "---@field in_year fun(self, year: pathway.year): boolean        is it running?\n"
    "---@field since fun(self, fact: string): pathway.instant?       since when a moved fact is as "
    "it is\n"
    "---@field waive fun(self, waiver: { rule: string, last_day: pathway.day?, by: string? })\n"
    "---@field end_waivers fun(self, rule: string)\n"
    "---@field param pathway.params\n";

static const char WORDS[] =
    "---@class pathway.type\n"
    "---@class pathway.rule: { [integer]: string|fun(s: pathway.school): "
    "(boolean|string|number|nil),"
    " source: string?, advice: string?, waivable: boolean?, stricter: "
    "(\"higher\"|\"lower\"|\"neither\"|string[])?, of: "
    "(\"school\"|\"group\"|\"hub\")?,"
    " needs: table?, criterion: boolean? }\n\n"
    "---@param parts { rules?: table<string, pathway.rule>, alerts?: table<string, pathway.rule>,"
    " on?: { school?: pathway.on.school, group?: pathway.on.group, hub?: pathway.on.hub },"
    " [string]: any }\n"
    "---@return table\nfunction pack(parts) end\n"
    "---@param parts { hub?: string, rules?: table<string, pathway.rule>, alerts?: table<string,"
    " pathway.rule>, on?: { school?: pathway.on.school, group?: pathway.on.group, hub?:"
    " pathway.on.hub }, [string]: any }\n"
    "---@return table\nfunction overlay(parts) end\n";

static void write_params(struct buf *out, const struct ruleset *rs)
{
    struct param_info p;

    buf_str(out, "---@class pathway.params\n");
    for (int i = 0; ruleset_param(&p, rs, i); i++) {
        buf_printf(out, "---@field %s %s ", p.name, ruleset_param_type(rs, i));
        ruleset_write_param(out, rs, i);
        buf_printf(out, " (%s)\n", p.where);
    }
    buf_char(out, '\n');
}

static void write_rule(struct buf *out, const struct rule_info *r)
{
    buf_printf(out, "---@field %s %s %s (%s)\n", r->name,
               r->is_yes_or_no ? "boolean" : "boolean|string|number|nil", r->title, r->where);
}

static void write_subject(struct buf *out, const struct ruleset *rs, enum subject_kind kind)
{
    struct fact_info f;

    buf_printf(out, "---@class pathway.%s\n%s", subject_kind_name(kind), METHODS);
    for (int i = 0; ruleset_fact(&f, rs, kind, i); i++) {
        bool may_be_missing = type_is_scalar(f.type) && f.type->kind != TYPE_BOOL;
        buf_printf(out, "---@field %s%s ", f.name, may_be_missing ? "?" : "");
        write_type(out, f.type, false);
        buf_printf(out, " (%s)\n", f.where);
    }
    for (uint16_t i = 0; i < ruleset_rule_count(rs); i++) {
        struct rule_info r = ruleset_rule(rs, i);
        struct fact_info same;
        bool is_fact = false; /* a rule that shows a fact has its name */
        for (int k = 0; !is_fact && ruleset_fact(&same, rs, kind, k); k++)
            is_fact = strcmp(same.name, r.name) == 0;
        if (r.of == kind && !is_fact)
            write_rule(out, &r);
    }
    buf_char(out, '\n');
}

static void write_events(struct buf *out, const struct ruleset *rs)
{
    const struct strmap *types = &ruleset_catalog(rs)->types;

    for (uint32_t i = 0; i < types->count; i++) {
        const struct event_type *t = types->items[i].as.ptr;
        buf_printf(out,
                   "---@class pathway.event.%s  %s\n---@field time pathway.instant\n---@field id "
                   "string\n---@field source string\n---@field type string\n---@field subject "
                   "string\n---@field as string[]  the school itself, or those that it continues\n"
                   "---@field data ",
                   t->name, t->title);
        write_row(out, t->data, true);
        buf_str(out, "\n\n");
    }
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        const char *name = subject_kind_name((enum subject_kind)kind);
        buf_printf(out, "---@class pathway.on.%s\n", name);
        for (uint32_t i = 0; i < types->count; i++) {
            const struct event_type *t = types->items[i].as.ptr;
            buf_printf(out, "---@field [\"%s\"] fun(s: pathway.%s, e: pathway.event.%s)?\n",
                       t->name, name, t->name);
        }
        buf_char(out, '\n');
    }
}

/* What is a function in Lua itself is known to the language server. */
static bool is_of_lua(const char *word)
{
    static const char *const LUA[] = { "assert",   "error",  "ipairs",   "math",  "pairs",
                                       "pcall",    "select", "string",   "table", "tonumber",
                                       "tostring", "type",   "_VERSION", NULL };

    for (const char *const *w = LUA; *w; w++)
        if (strcmp(*w, word) == 0)
            return true;
    return false;
}

static void write_words(struct buf *out, const struct ruleset *rs)
{
    static const char *const TYPED[][2] = {
        { "days", "fun(n: integer): pathway.days" },
        { "midnight", "fun(day: pathway.day): pathway.instant" },
        { "day_of", "fun(t: pathway.instant): pathway.day" },
        { "year_of", "fun(t: pathway.instant): pathway.year" },
        { "year_start", "fun(year: pathway.year): pathway.instant" },
        { "year_end", "fun(year: pathway.year): pathway.instant" },
        { "half_term_end", "fun(year: pathway.year, half_term: integer): pathway.instant" },
        { "term_end", "fun(year: pathway.year, term: integer): pathway.instant" },
        { "each", "fun(container: any): fun(): any, any" },
    };

    buf_str(out, WORDS);
    for (int i = 0; ruleset_word(rs, i); i++) {
        const char *word = ruleset_word(rs, i), *type = "any";
        if (is_of_lua(word) || strcmp(word, "pack") == 0 || strcmp(word, "overlay") == 0)
            continue;
        for (size_t k = 0; k < sizeof(TYPED) / sizeof(TYPED[0]); k++)
            if (strcmp(TYPED[k][0], word) == 0)
                type = TYPED[k][1];
        buf_printf(out, "---@type %s\n%s = nil\n", type, word);
    }
}

static void write_annotations(struct buf *out, const struct ruleset *rs)
{
    buf_str(out, HEAD);
    write_params(out, rs);
    for (int kind = 0; kind < SUBJECT_KINDS; kind++)
        write_subject(out, rs, (enum subject_kind)kind);
    write_events(out, rs);
    write_words(out, rs);
}

/* ---- luacheck ---- */

static void write_luacheck(struct buf *out, const struct ruleset *rs)
{
    buf_str(out, "-- Made by `pathway types --luacheck`: what a pack may use without declaring it. "
                 "Save it as\n"
                 "-- .luacheckrc beside the pack, then run: luacheck .\n"
                 "stds.pathway = { read_globals = {\n");
    for (int i = 0; ruleset_word(rs, i); i++) {
        const char *word = ruleset_word(rs, i);
        bool is_library =
            strcmp(word, "math") == 0 || strcmp(word, "string") == 0 || strcmp(word, "table") == 0;
        if (is_library)
            buf_printf(out, "  %s = { other_fields = true },\n", word);
        else
            buf_printf(out, "  \"%s\",\n", word);
    }
    buf_str(out, "} }\n"
                 "std = \"pathway\"\n"
                 "max_line_length = false\n"
                 "ignore = { \"212\", \"512\" } -- a rule need not use its argument; a loop may "
                 "end at its first\n");
}

/* ---- */

static enum err_code find_ruleset(struct ruleset **out, struct rulebook *rules, const char *hub,
                                  struct err *err)
{
    *out = rulebook_of_hub(rules, hub);
    if (!hub && rulebook_is_one_overlay(rules))
        *out = rulebook_at(rules, 1);
    if (hub && !ruleset_hub(*out))
        return err_set(err, ERR_INPUT, "hub %.80s has no overlay here", hub);
    return OK;
}

static enum cli_exit run(const struct args *args)
{
    const char *dir = args->operand_count ? args->operands[0] : rules_folder(NULL);
    struct problems problems = { 0 };
    struct rulebook *rules = NULL;
    struct ruleset *rs = NULL;
    struct buf out = { 0 };
    struct err err;

    enum err_code rc = civil_init(&err);
    if (rc == OK)
        rc = digest_init(&err);
    if (rc == OK)
        rc = rulebook_load(&rules, dir, rules_folder(NULL), &problems, &err);
    if (rc == OK)
        rc = find_ruleset(&rs, rules, args_text(args, "hub"), &err);
    if (rc == OK && args_flag(args, "luacheck"))
        write_luacheck(&out, rs);
    else if (rc == OK)
        write_annotations(&out, rs);
    if (rc == OK && out.failed)
        rc = err_set(&err, ERR_LIMIT, "no memory for the page");
    if (rc == OK)
        fputs(buf_cstr(&out), stdout);
    buf_fini(&out);
    rulebook_free(rules);
    problems_fini(&problems);
    return rc == OK ? CLI_DONE : cli_fail(&err);
}

const struct command types_command = {
    .name = "types",
    .operands = "[DIR]",
    .summary = "what packs declare, for editors and luacheck",
    .help =
        "Prints annotations for the Lua language server (LuaLS): every fact, rule, parameter and\n"
        "event with its type, so that an editor completes them and marks what there is not. With\n"
        "--luacheck: a configuration that knows the words of the pack language. DIR is a rules\n"
        "folder or one pack's own; without it: this source tree's rules, else /etc/pathwayd/rules.",
    .example = "pathway types rules > pathway-types.lua",
    .options = OPTIONS,
    .max_operands = 1,
    .run = run,
};
