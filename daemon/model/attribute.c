/* attribute.c - see attribute.h. */
#include "model/attribute.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <uriparser/Uri.h>

#include "base/civil.h"
#include "base/text.h"

#define QUOTED    60 /* bytes of what was found that a message repeats */
#define NAMES_MAX 64 /* so many members are looked through for a slip */

static const char *const KNOWN[] = { "specversion", "id",   "source",          "type",
                                     "subject",     "time", "datacontenttype", "dataschema",
                                     "sequence",    "data" };
#define KNOWN_COUNT (sizeof(KNOWN) / sizeof(KNOWN[0]))

static enum err_code mismatch(const struct json *member, const char *expected, struct err *err)
{
    char found[QUOTED];

    return err_set(err, ERR_INPUT, "%.*s: found %s, expected %s", QUOTED, member->name,
                   json_brief(member, found, sizeof(found)), expected);
}

/* -- what a string may be -------------------------------------------------------------------- */

/* Not empty, printable, and at most `max` bytes. */
static enum err_code check_text(const struct json *member, size_t max, struct err *err)
{
    char expected[64];

    if (member->type != JSON_STRING || member->len == 0)
        return mismatch(member, "a string that is not empty", err);
    if (member->len > max) {
        snprintf(expected, sizeof(expected), "at most %zu bytes", max);
        return mismatch(member, expected, err);
    }
    if (!text_is_printable(member->as.string, member->len))
        return mismatch(member, "no control characters and no noncharacters", err);
    return OK;
}

/* RFC 3986, read by uriparser: a URI-reference, or with `is_absolute` one that has a scheme. */
static enum err_code check_uri(const struct json *member, size_t max, bool is_absolute,
                               const char *example, struct err *err)
{
    UriUriA uri;
    const char *bad = NULL;
    char expected[200];

    if (check_text(member, max, err) != OK)
        return err->code;
    int rc = uriParseSingleUriA(&uri, member->as.string, &bad);
    if (rc == URI_ERROR_MALLOC)
        return err_set(err, ERR_LIMIT, "%s: no memory to read it", member->name);
    bool has_scheme = rc == URI_SUCCESS && uri.scheme.first;
    if (rc == URI_SUCCESS)
        uriFreeUriMembersA(&uri);
    if (rc == URI_SUCCESS && (has_scheme || !is_absolute))
        return OK;
    if (rc != URI_SUCCESS && bad)
        snprintf(expected, sizeof(expected),
                 "%s, without spaces; write other characters as %%XX (it goes wrong at byte %d)",
                 example, (int)(bad - member->as.string) + 1);
    else
        snprintf(expected, sizeof(expected), "%s", example);
    return mismatch(member, expected, err);
}

/* The length of an RFC 2045 token at the start of `s`. */
static size_t token_len(const char *s)
{
    size_t n = 0;

    while (s[n] > 0x20 && s[n] < 0x7f && !strchr("()<>@,;:\\\"/[]?=", s[n]))
        n++;
    return n;
}

static const char *skip_blank(const char *s)
{
    return s + strspn(s, " \t");
}

/* `name=value` or `name="value"`; the end of it, or NULL. */
static const char *media_parameter(const char *s)
{
    size_t name = token_len(s);

    if (name == 0 || s[name] != '=')
        return NULL;
    s += name + 1;
    if (*s != '"')
        return token_len(s) > 0 ? s + token_len(s) : NULL;
    for (s++; *s && *s != '"'; s++) {
        if (*s == '\\' && s[1])
            s++;
    }
    return *s == '"' ? s + 1 : NULL;
}

/* RFC 2046: type/subtype, with parameters behind semicolons. */
static bool is_media_type(const char *s)
{
    size_t type = token_len(s);

    if (type == 0 || s[type] != '/')
        return false;
    s += type + 1;
    size_t subtype = token_len(s);
    if (subtype == 0)
        return false;
    s = skip_blank(s + subtype);
    while (*s == ';') {
        s = media_parameter(skip_blank(s + 1));
        if (!s)
            return false;
        s = skip_blank(s);
    }
    return *s == '\0';
}

/* -- the attributes -------------------------------------------------------------------------- */

static enum err_code check_specversion(const struct json *member, struct err *err)
{
    return json_is_string(member, "1.0") ? OK : mismatch(member, "\"1.0\"", err);
}

static enum err_code check_name(const struct json *member, struct err *err)
{
    return check_text(member, ATTRIBUTE_MAX_BYTES, err);
}

static enum err_code check_source(const struct json *member, struct err *err)
{
    return check_uri(member, ATTRIBUTE_MAX_BYTES, false, "a URI-reference such as urn:hub:07", err);
}

static enum err_code check_subject(const struct json *member, struct err *err)
{
    return check_text(member, ATTRIBUTE_MAX_BYTES, err);
}

static enum err_code read_time(int64_t *out, const struct json *member, struct err *err)
{
    if (member->type != JSON_STRING)
        return mismatch(member, "an RFC 3339 time such as 2026-11-21T09:30:00Z", err);
    enum err_code rc = time_parse(out, member->as.string, member->len, err);
    if (rc != OK && err)
        return err_at(err, "time");
    return rc;
}

static enum err_code check_time(const struct json *member, struct err *err)
{
    int64_t time;

    return read_time(&time, member, err);
}

static enum err_code check_media_type(const struct json *member, struct err *err)
{
    static const char EXPECTED[] = "a media type such as application/json";

    if (member->type != JSON_STRING || member->len == 0)
        return mismatch(member, EXPECTED, err);
    enum err_code rc = check_text(member, ATTRIBUTE_MAX_BYTES, err);
    if (rc == OK && !is_media_type(member->as.string))
        rc = mismatch(member, EXPECTED, err);
    return rc;
}

static enum err_code check_schema(const struct json *member, struct err *err)
{
    return check_uri(member, 2048, true, "an absolute URI such as https://example.org/schema", err);
}

static enum err_code check_sequence(const struct json *member, struct err *err)
{
    return check_text(member, SEQUENCE_MAX_BYTES, err);
}

static enum err_code check_base64(const struct json *member, struct err *err)
{
    return err_set(err, ERR_INPUT,
                   "data_base64: found %s, expected the data as a JSON object in \"data\""
                   " (an event has one of the two, never both)",
                   json_type_name(member));
}

static enum err_code check_extension(const struct json *member, struct err *err)
{
    static const char EXPECTED[] =
        "a string, true, false or a whole number of 32 bits, as of every extension attribute";

    switch (member->type) {
    case JSON_STRING:
        if (text_is_printable(member->as.string, member->len))
            return OK;
        return mismatch(member, "no control characters and no noncharacters", err);
    case JSON_BOOL:
        return OK;
    case JSON_INT:
        if (member->as.integer >= INT32_MIN && member->as.integer <= INT32_MAX)
            return OK;
        break;
    case JSON_NULL:
    case JSON_REAL:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return mismatch(member, EXPECTED, err);
}

static const struct {
    const char *name;
    enum err_code (*check)(const struct json *member, struct err *err);
} CHECKS[ATTRIBUTES] = {
    [ATTRIBUTE_DATA] = { "data", check_extension }, /* event.c's; never asked here */
    [ATTRIBUTE_DATA_BASE64] = { "data_base64", check_base64 },
    [ATTRIBUTE_DATACONTENTTYPE] = { "datacontenttype", check_media_type },
    [ATTRIBUTE_DATASCHEMA] = { "dataschema", check_schema },
    [ATTRIBUTE_ID] = { "id", check_name },
    [ATTRIBUTE_SEQUENCE] = { "sequence", check_sequence },
    [ATTRIBUTE_SOURCE] = { "source", check_source },
    [ATTRIBUTE_SPECVERSION] = { "specversion", check_specversion },
    [ATTRIBUTE_SUBJECT] = { "subject", check_subject },
    [ATTRIBUTE_TIME] = { "time", check_time },
    [ATTRIBUTE_TYPE] = { "type", check_name },
};

static bool is_attribute_name(const char *name)
{
    size_t n = 0;

    while ((name[n] >= 'a' && name[n] <= 'z') || (name[n] >= '0' && name[n] <= '9'))
        n++;
    return n > 0 && name[n] == '\0';
}

enum attribute attribute_of(const char *name)
{
    int first = ATTRIBUTE_EXTENSION, end = ATTRIBUTE_EXTENSION;

    switch (name[0]) { /* those that begin so */
    case 'd':
        first = ATTRIBUTE_DATA;
        end = ATTRIBUTE_ID;
        break;
    case 'i':
        first = ATTRIBUTE_ID;
        end = ATTRIBUTE_SEQUENCE;
        break;
    case 's':
        first = ATTRIBUTE_SEQUENCE;
        end = ATTRIBUTE_TIME;
        break;
    case 't':
        first = ATTRIBUTE_TIME;
        end = ATTRIBUTE_EXTENSION;
        break;
    }
    for (int i = first; i < end; i++) {
        if (CHECKS[i].name[1] == name[1] && strcmp(CHECKS[i].name, name) == 0)
            return (enum attribute)i;
    }
    return ATTRIBUTE_EXTENSION;
}

static enum err_code check_as(enum attribute attribute, const struct json *member, struct err *err)
{
    char hint[64];

    if (attribute < ATTRIBUTES)
        return member->type == JSON_NULL ? OK : CHECKS[attribute].check(member, err);
    if (!is_attribute_name(member->name))
        return err_set(
            err, ERR_INPUT, "%.*s: found this attribute name, expected only a-z and 0-9 in it%s",
            QUOTED, member->name, text_hint(hint, sizeof(hint), member->name, KNOWN, KNOWN_COUNT));
    return member->type == JSON_NULL ? OK : check_extension(member, err);
}

enum err_code attribute_check(const struct json *member, struct err *err)
{
    return check_as(attribute_of(member->name), member, err);
}

enum err_code attributes_read(struct attributes *out, const struct json *event, struct err *err)
{
    enum err_code rc = OK;

    out->given = 0;
    out->extensions = 0;
    for (const struct json *m = event->as.first; m && rc == OK; m = m->next) {
        enum attribute attribute = attribute_of(m->name);
        if (attribute == ATTRIBUTE_EXTENSION) {
            out->extensions++;
        } else if (m->type != JSON_NULL) {
            out->found[attribute] = m;
            out->given |= 1u << attribute;
        }
        if (attribute == ATTRIBUTE_TIME && m->type != JSON_NULL)
            rc = read_time(&out->time, m, err);
        else if (attribute != ATTRIBUTE_DATA)
            rc = check_as(attribute, m, err);
    }
    return rc;
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (strcmp(KNOWN[i], name) == 0)
            return true;
    }
    return false;
}

/* The member that `name` was probably meant by: "timee" for "time". NULL when none looks so. */
static const char *slip_of(const struct json *event, const char *name)
{
    const char *names[NAMES_MAX] = { 0 };
    size_t count = 0;

    for (const struct json *m = event->as.first; m && count < NAMES_MAX; m = m->next) {
        if (!is_known(m->name))
            names[count++] = m->name;
    }
    return text_nearest(name, names, count);
}

enum err_code attribute_require(const struct json **out, const struct json *event, const char *name,
                                const char *expected, struct err *err)
{
    const struct json *member = json_get(event, name);

    *out = member;
    if (member && member->type != JSON_NULL)
        return OK;
    const char *slip = slip_of(event, name);
    return err_set(err, ERR_INPUT, "%s: missing, expected %s%s%.*s%s", name, expected,
                   slip ? "; is \"" : "", QUOTED, slip ? slip : "", slip ? "\" a slip of it?" : "");
}
