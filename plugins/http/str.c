/* str.c - see str.h. */
#include "str.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool reserve(struct str *s, size_t more)
{
    if (s->failed || more > SIZE_MAX / 4 - s->len) {
        s->failed = true;
        return false;
    }
    if (s->len + more + 1 <= s->cap)
        return true;
    size_t cap = s->cap ? s->cap : 256;
    while (cap < s->len + more + 1)
        cap *= 2;
    char *data = realloc(s->data, cap);
    if (!data) {
        s->failed = true;
        return false;
    }
    s->data = data;
    s->cap = cap;
    return true;
}

void str_add(struct str *s, const char *bytes, size_t len)
{
    if (!reserve(s, len))
        return;
    if (len > 0)
        memcpy(s->data + s->len, bytes, len);
    s->len += len;
    s->data[s->len] = '\0';
}

void str_text(struct str *s, const char *text)
{
    str_add(s, text, strlen(text));
}

void str_printf(struct str *s, const char *fmt, ...)
{
    va_list args, again;

    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0)
        s->failed = true;
    else if (reserve(s, (size_t)len)) {
        vsnprintf(s->data + s->len, (size_t)len + 1, fmt, again);
        s->len += (size_t)len;
    }
    va_end(again);
}

void str_json(struct str *s, const char *bytes, size_t len)
{
    str_text(s, "\"");
    size_t from = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        str_add(s, bytes + from, i - from);
        if (c == '"' || c == '\\')
            str_printf(s, "\\%c", c);
        else
            str_printf(s, "\\u%04x", c);
        from = i + 1;
    }
    str_add(s, bytes + from, len - from);
    str_text(s, "\"");
}

/* Bytes of the well-formed UTF-8 character at `s`, 1 to 4; 0: there is none. RFC 3629's table. */
static size_t utf8_len(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    unsigned char low = 0x80, high = 0xbf;
    size_t len = s[0] < 0x80   ? 1
                 : s[0] < 0xc2 ? 0
                 : s[0] < 0xe0 ? 2
                 : s[0] < 0xf0 ? 3
                 : s[0] < 0xf5 ? 4
                               : 0;

    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i < len; i++, low = 0x80, high = 0xbf)
        if (s[i] < low || s[i] > high) /* also the NUL that ends the text */
            return 0;
    return len;
}

void str_json_shown(struct str *s, const char *text)
{
    struct str shown = { 0 };

    while (*text) {
        size_t len = utf8_len(text);
        str_add(&shown, len ? text : "\xef\xbf\xbd", len ? len : 3);
        text += len ? len : 1;
    }
    str_json(s, shown.data ? shown.data : "", shown.len);
    s->failed = s->failed || shown.failed;
    str_fini(&shown);
}

void str_fini(struct str *s)
{
    free(s->data);
    *s = (struct str){ 0 };
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool percent_decode(char *out, const char *in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (in[i] != '%') {
            *out++ = in[i];
            continue;
        }
        int high = i + 2 < len ? hex(in[i + 1]) : -1;
        int low = i + 2 < len ? hex(in[i + 2]) : -1;
        if (high < 0 || low < 0 || (high == 0 && low == 0))
            return false;
        *out++ = (char)(high * 16 + low);
        i += 2;
    }
    *out = '\0';
    return true;
}

bool media_is(const char *value, const char *type)
{
    size_t len = strlen(type);
    if (!value || strncasecmp(value, type, len) != 0)
        return false;
    value += len;
    value += strspn(value, " \t");
    return *value == '\0' || *value == ';';
}

bool media_is_utf8(const char *value)
{
    const char *charset = value ? strcasestr(value, "charset=") : NULL;
    if (!charset)
        return true;
    charset += strlen("charset=");
    charset += *charset == '"';
    size_t len = strcspn(charset, "\"; \t");
    return (len == 5 && strncasecmp(charset, "utf-8", 5) == 0) ||
           (len == 8 && strncasecmp(charset, "us-ascii", 8) == 0);
}

/* The quality, 0 to 1000, of one item of an Accept header: "text/csv;q=0.5". */
static int item_quality(const char *item, size_t len)
{
    for (size_t i = 0; i + 2 < len; i++) {
        if (item[i] != ';')
            continue;
        size_t at = i + 1;
        while (at < len && (item[at] == ' ' || item[at] == '\t'))
            at++;
        if (at + 2 <= len && (item[at] == 'q' || item[at] == 'Q') && item[at + 1] == '=')
            return (int)(strtod(item + at + 2, NULL) * 1000);
    }
    return 1000;
}

/* 0: it does not match; 1: any type; 2: any subtype; 3: this very type. */
static int item_match(const char *item, size_t len, const char *type)
{
    size_t name = strcspn(item, "; \t,");
    size_t major = strcspn(type, "/") + 1;

    if (name > len)
        name = len;
    if (name == 3 && strncmp(item, "*/*", 3) == 0)
        return 1;
    if (name == major + 1 && item[major] == '*' && strncasecmp(item, type, major) == 0)
        return 2;
    return name == strlen(type) && strncasecmp(item, type, name) == 0 ? 3 : 0;
}

/* What the most specific matching item says of `type`. */
static int quality(const char *accept, const char *type)
{
    int best_match = 0, result = 0;

    while (*accept) {
        accept += strspn(accept, " \t,");
        size_t len = strcspn(accept, ",");
        int match = item_match(accept, len, type);
        if (match > best_match) {
            best_match = match;
            result = item_quality(accept, len);
        }
        accept += len;
    }
    return result;
}

int accept_choose(const char *accept, const char *const *offers)
{
    int best = -1, best_quality = 0;

    if (!accept || !accept[strspn(accept, " \t")])
        return 0;
    for (int i = 0; offers[i]; i++) {
        int q = quality(accept, offers[i]);
        if (q > best_quality) {
            best_quality = q;
            best = i;
        }
    }
    return best;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_one_object(const char *bytes, size_t len)
{
    size_t depth = 0, i = 0;
    bool in_string = false;

    while (i < len && is_space(bytes[i]))
        i++;
    if (i == len || bytes[i] != '{')
        return false;
    for (; i < len; i++) {
        char c = bytes[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            break;
        }
    }
    if (i >= len)
        return false;
    for (i++; i < len && is_space(bytes[i]); i++)
        ;
    return i == len;
}
