/* coverage.c - see coverage.h. */
#include "cli/coverage.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* What a rule has not shown yet, or "". */
static const char *gap_of(const struct rule_info *rule, const struct tally *t)
{
    bool is_true = t->met > 0, is_false = t->unmet > 0;

    if (t->met + t->unmet + t->waived + t->other == 0)
        return t->failed ? "only fails" : "never tried";
    if (t->other > 0 || (!rule->is_yes_or_no && !is_true && !is_false))
        return "";
    if (is_true && is_false)
        return rule->is_waivable && !t->waived ? "never waived" : "";
    return is_true ? "never false" : is_false ? "never true" : "only waived";
}

static void print_counts(const struct tally *t)
{
    printf(" %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64, t->met, t->unmet,
           t->waived, t->other, t->failed);
}

/* Of a hub its own rules are shown; the national ones are the national pack's to try. */
static bool is_shown(const struct ruleset *rs, const struct rule_info *rule)
{
    return rule->is_own || !ruleset_hub(rs);
}

static int name_width(const struct ruleset *rs)
{
    size_t width = 4;

    for (uint16_t i = 0; i < ruleset_rule_count(rs); i++) {
        struct rule_info rule = ruleset_rule(rs, i);
        size_t len = is_shown(rs, &rule) ? strlen(rule.name) : 0;
        width = len > width ? len : width;
    }
    return (int)width;
}

static void print_table(const struct tallies *tests, const struct tallies *schools,
                        uint64_t subjects)
{
    static const char COLUMNS[] = "    true   false  waived   value   error";
    int width = name_width(tests->rules), yes_or_no = 0, both = 0;

    const char *hub = ruleset_hub(tests->rules);
    printf("\n%s%s\n%-*s  %-39s", hub ? "hub " : "national", hub ? hub : "", width, "", "in tests");
    if (schools)
        printf("  over %" PRIu64 " schools and groups", subjects);
    printf("\n%-*s%s%s%s\n", width, "rule", COLUMNS, schools ? " " : "", schools ? COLUMNS : "");
    for (uint16_t i = 0; i < tests->count; i++) {
        struct rule_info rule = ruleset_rule(tests->rules, i);
        const struct tally *t = &tests->items[i];
        if (!is_shown(tests->rules, &rule))
            continue;
        const char *gap = gap_of(&rule, t);
        printf("%-*s", width, rule.name);
        print_counts(t);
        if (schools) {
            putchar(' ');
            print_counts(&schools->items[i]);
        }
        printf("%s%s\n", *gap ? "  " : "", gap);
        bool is_value = t->other > 0 || (!rule.is_yes_or_no && t->met + t->unmet == 0);
        yes_or_no += !is_value;
        both += !is_value && t->met > 0 && t->unmet > 0;
    }
    printf("\n%d of %d criteria that are true or false were both in tests\n", both, yes_or_no);
}

static void write_counts(struct buf *b, const char *name, const struct tally *t)
{
    buf_printf(b,
               ",\"%s\":{\"true\":%" PRIu64 ",\"false\":%" PRIu64 ",\"waived\":%" PRIu64
               ",\"value\":%" PRIu64 ",\"error\":%" PRIu64 "}",
               name, t->met, t->unmet, t->waived, t->other, t->failed);
}

static void print_json(const struct tallies *tests, const struct tallies *schools)
{
    struct buf b = { 0 };

    for (uint16_t i = 0; i < tests->count; i++) {
        struct rule_info rule = ruleset_rule(tests->rules, i);
        if (!is_shown(tests->rules, &rule))
            continue;
        buf_reset(&b);
        buf_str(&b, "{\"rule\":");
        json_write_cstr(&b, rule.name);
        buf_str(&b, ",\"hub\":");
        json_write_cstr(&b, ruleset_hub(tests->rules));
        buf_str(&b, ",\"where\":");
        json_write_cstr(&b, rule.where);
        write_counts(&b, "tests", &tests->items[i]);
        if (schools)
            write_counts(&b, "schools", &schools->items[i]);
        buf_char(&b, '}');
        puts(buf_cstr(&b));
    }
    buf_fini(&b);
}

void coverage_print(const struct coverage *tests, const struct coverage *schools, uint64_t subjects,
                    bool as_json)
{
    for (int i = rulebook_is_one_overlay(tests->rules); i < tests->count; i++) {
        const struct tallies *over = schools ? &schools->of[i] : NULL;
        if (as_json)
            print_json(&tests->of[i], over);
        else
            print_table(&tests->of[i], over, subjects);
    }
}
