/* subject.c - see subject.h. */
#include "model/subject.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"

#define URN_MAX  10
#define CODE_MAX 64

static const char *const NAMES[SUBJECT_KINDS] = { "school", "group", "hub" };
static const char *const CODES[SUBJECT_KINDS] = {
    "a URN of 1 to 10 digits, as in school/100001",
    "a code of 1 to 64 of A-Z a-z 0-9 . _ -, as in group/h07-dev-2024",
    "a code of 1 to 64 of A-Z a-z 0-9 . _ -, as in hub/07",
};

const char *subject_kind_name(enum subject_kind kind)
{
    return NAMES[kind];
}

static bool kind_of(enum subject_kind *out, const char *name, size_t len)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        if (strlen(NAMES[kind]) == len && memcmp(NAMES[kind], name, len) == 0) {
            *out = (enum subject_kind)kind;
            return true;
        }
    }
    return false;
}

bool subject_kind_parse(enum subject_kind *out, const char *name)
{
    return kind_of(out, name, strlen(name));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_code_char(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
}

bool subject_code_is_valid(enum subject_kind kind, const char *code, size_t len)
{
    if (len < 1 || len > (kind == SUBJECT_SCHOOL ? URN_MAX : CODE_MAX))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!(kind == SUBJECT_SCHOOL ? is_digit(code[i]) : is_code_char(code[i])))
            return false;
    }
    return true;
}

enum err_code subject_parse(enum subject_kind *out, const char *s, size_t len, struct err *err)
{
    const struct json value = { .type = JSON_STRING, .len = (uint32_t)len, .as.string = s };
    const char *slash = memchr(s, '/', len);
    size_t kind_len = slash ? (size_t)(slash - s) : len;
    enum subject_kind kind;
    char found[64], name[16], hint[64];

    if (!kind_of(&kind, s, kind_len)) {
        snprintf(name, sizeof(name), "%.*s", kind_len < sizeof(name) ? (int)kind_len : 0, s);
        return err_set(err, ERR_INPUT, "found %s, expected school/URN, group/CODE or hub/CODE%s",
                       json_brief(&value, found, sizeof(found)),
                       text_hint(hint, sizeof(hint), name, NAMES, SUBJECT_KINDS));
    }
    if (!slash || !subject_code_is_valid(kind, slash + 1, len - kind_len - 1))
        return err_set(err, ERR_INPUT, "found %s, expected behind \"%s/\" %s",
                       json_brief(&value, found, sizeof(found)), NAMES[kind], CODES[kind]);
    *out = kind;
    return OK;
}

const char *subject_code(const char *subject)
{
    const char *slash = strchr(subject, '/');
    return slash ? slash + 1 : subject;
}

const char *subject_hub(const char *subject)
{
    return strncmp(subject, "hub/", 4) == 0 ? subject_code(subject) : NULL;
}
