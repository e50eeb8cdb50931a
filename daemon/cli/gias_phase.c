/* gias_phase.c - see gias_phase.h. The codes are those of the CSV extracts, not of the service
 * behind them. */
#include "cli/gias_phase.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "cli/gias.h"

struct word {
    const char *code;
    const char *name;
    const char *ours;
};

static const struct word STATUSES[] = {
    { "1", "Open", "open" },
    { "2", "Closed", "closed" },
    { "3", "Open, but proposed to close", "proposed_to_close" },
    { "4", "Proposed to open", "proposed_to_open" },
};

static const struct word PHASES[] = {
    { "0", "Not applicable", "other" }, { "1", "Nursery", "nursery" },
    { "2", "Primary", "primary" },      { "3", "Middle deemed primary", "middle" },
    { "4", "Secondary", "secondary" },  { "5", "Middle deemed secondary", "secondary" },
    { "6", "16 plus", "other" },        { "7", "All-through", "all_through" },
};

/* 7 to 12 by group; the academies and free schools among them have the groups of those. */
static const char *const SPECIAL_TYPES[] = { "7", "8", "10", "12", "33", "36", "44" };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Spelling differs between extracts: "All-through", "All Through". Only letters and digits
 * count. */
static bool is_same_name(const char *a, const char *b)
{
    for (;;) {
        while (*a && !isalnum((unsigned char)*a))
            a++;
        while (*b && !isalnum((unsigned char)*b))
            b++;
        if (!*a || !*b)
            return *a == *b;
        if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++))
            return false;
    }
}

static const char *find_word(const struct word *words, size_t count, const char *code,
                             const char *name)
{
    char number[GIAS_NUMBER_TEXT];
    bool has_code = gias_number(number, code, 1);

    for (size_t i = 0; i < count; i++)
        if (has_code ? !strcmp(number, words[i].code) : is_same_name(name, words[i].name))
            return words[i].ours;
    return NULL;
}

const char *gias_status(const char *code, const char *name)
{
    return find_word(STATUSES, COUNT(STATUSES), code, name);
}

static bool holds_word(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (; *text; text++)
        if (!strncasecmp(text, word, n))
            return true;
    return false;
}

static bool is_special(const struct gias_kind *k)
{
    char number[GIAS_NUMBER_TEXT];

    if (gias_number(number, k->type_code, 1)) {
        for (size_t i = 0; i < COUNT(SPECIAL_TYPES); i++)
            if (!strcmp(number, SPECIAL_TYPES[i]))
                return true;
        return false;
    }
    if (gias_number(number, k->group_code, 1) && !strcmp(number, "5"))
        return true;
    /* "Special post 16 institution" is for those who have left school. */
    return is_same_name(k->group_name, "Special schools") ||
           (holds_word(k->type_name, "special") && !holds_word(k->type_name, "post 16"));
}

static const char *primary_by_age(int low, int high)
{
    if (high > 0 && high <= 7)
        return "infant";
    if (low >= 7)
        return "junior";
    if (high == 8 || high == 9)
        return "first";
    return "primary";
}

/* For extracts without a phase: what the ages leave no doubt about. */
static const char *phase_by_age(int low, int high)
{
    if (low < 0 || high < 0)
        return "other";
    if (high <= 5)
        return "nursery";
    if (high <= 11)
        return primary_by_age(low, high);
    if (low >= 11)
        return high <= 19 ? "secondary" : "other";
    return low <= 7 && high >= 16 ? "all_through" : "other";
}

const char *gias_phase(const struct gias_kind *k)
{
    if (is_special(k))
        return "special";
    if (!k->phase_code[0] && !k->phase_name[0])
        return phase_by_age(k->low_age, k->high_age);
    const char *phase = find_word(PHASES, COUNT(PHASES), k->phase_code, k->phase_name);
    if (phase && !strcmp(phase, "primary"))
        return primary_by_age(k->low_age, k->high_age);
    return phase;
}
