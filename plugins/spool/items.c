/*
 * items.c - see items.h. Jansson says whether the text is JSON, of a copy in which no number is out
 * of range; of what is JSON it is plain where an item ends.
 */
#include "items.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_of_number(char c)
{
    return isdigit((unsigned char)c) || (c && strchr("+-.eE", c));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Behind a string that begins at `at`. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        at += *at == '\\';
    return at < end ? at + 1 : end;
}

/* Each run of digits becomes one, or two where it begins with a nought: valid and invalid numbers
 * stay what they are. What is saved becomes spaces behind. */
static char *shorten(char *at, const char *end)
{
    char *to = at;

    while (at < end && is_of_number(*at)) {
        char first = *at;
        const char *run = at++;
        *to++ = first;
        if (!isdigit((unsigned char)first))
            continue;
        while (at < end && isdigit((unsigned char)*at))
            at++;
        if (first == '0' && at - run > 1)
            *to++ = '0';
    }
    memset(to, ' ', (size_t)(at - to));
    return at;
}

static json_t *parse(const char *text, size_t len, json_error_t *why)
{
    char *copy = malloc(len + 1);

    if (!copy)
        return NULL;
    memcpy(copy, text, len);
    for (char *at = copy, *end = copy + len; at < end;) {
        if (*at == '-' || isdigit((unsigned char)*at))
            at = shorten(at, end);
        else
            at = *at == '"' ? copy + (skip_string(at, end) - copy) : at + 1;
    }
    json_t *tree = json_loadb(copy, len, JSON_ALLOW_NUL, why);
    free(copy);
    return tree;
}

/* The text from `at` on up to the comma or bracket behind the item, without white space. */
static const char *take_item(char *out, size_t *len, const char *at, const char *end)
{
    int depth = 0;

    *len = 0;
    while (at < end && (depth > 0 || (*at != ',' && *at != ']'))) {
        const char *next = *at == '"' ? skip_string(at, end) : at + 1;
        depth += *at == '[' || *at == '{';
        depth -= *at == ']' || *at == '}';
        if (!is_blank(*at)) {
            memcpy(out + *len, at, (size_t)(next - at));
            *len += (size_t)(next - at);
        }
        at = next;
    }
    return at;
}

static bool add_all(json_t *items, size_t count, bool is_array, const char *text, size_t len)
{
    const char *at = text, *end = text + len;
    char *item = malloc(len + 1);
    bool ok = item != NULL;
    size_t item_len;

    while (is_array && at < end && *at++ != '[')
        continue;
    for (size_t i = 0; i < count && ok; i++) {
        at = take_item(item, &item_len, at, end) + 1;
        ok = json_array_append_new(items, json_stringn(item, item_len)) == 0;
    }
    free(item);
    return ok;
}

json_t *items_read(const char *text, size_t len, char *error, size_t size)
{
    json_error_t why = { .text = "no memory for it" };
    json_t *tree = parse(text, len, &why), *items = tree ? json_array() : NULL;

    if (!tree)
        snprintf(error, size, "it is no JSON: line %d, column %d: %s", why.line, why.column,
                 why.text);
    bool is_array = json_is_array(tree);
    if (items && !add_all(items, is_array ? json_array_size(tree) : 1, is_array, text, len)) {
        json_decref(items);
        items = NULL;
    }
    if (tree && !items)
        snprintf(error, size, "no memory for its events");
    json_decref(tree);
    return items;
}
