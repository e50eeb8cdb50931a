/*
 * binary.c - see binary.h. Attributes go in as they came, wrong ones too: the daemon judges events,
 * in whatever mode they were sent, with one voice.
 */
#include "binary.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PREFIX "ce-"

struct assembly {
    struct str *out;
    char refused[160]; /* the first attribute that could not be decoded; "" */
};

static bool is_attribute(const char *header)
{
    return strncasecmp(header, PREFIX, strlen(PREFIX)) == 0;
}

static enum MHD_Result find_attribute(void *arg, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    (void)kind;
    (void)value;
    bool *found = arg;
    *found = *found || is_attribute(name);
    return *found ? MHD_NO : MHD_YES;
}

bool is_binary(const struct request *r)
{
    bool found = false;
    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, find_attribute, &found);
    return found;
}

/* "a \"b\"" in quotes to a "b": older senders quote values. Returns the new length. */
static size_t unquote(char *text)
{
    size_t len = strlen(text), to = 0;

    if (len < 2 || text[0] != '"' || text[len - 1] != '"')
        return len;
    for (size_t i = 1; i + 1 < len; i++) {
        if (text[i] == '\\' && i + 2 < len)
            i++;
        text[to++] = text[i];
    }
    text[to] = '\0';
    return to;
}

static bool add_attribute(struct str *out, const char *name, const char *value)
{
    char *text = strdup(value);
    if (!text) {
        out->failed = true;
        return true;
    }
    size_t len = unquote(text);
    bool ok = percent_decode(text, text, len);
    if (ok) {
        str_text(out, out->len > 1 ? ",\"" : "\"");
        for (; *name; name++) {
            char c = (char)tolower((unsigned char)*name);
            str_add(out, &c, 1);
        }
        str_text(out, "\":");
        str_json(out, text, strlen(text));
    }
    free(text);
    return ok;
}

static enum MHD_Result each_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct assembly *a = arg;

    (void)kind;
    if (is_attribute(name) && !add_attribute(a->out, name + strlen(PREFIX), value ? value : "") &&
        !a->refused[0])
        snprintf(a->refused, sizeof(a->refused),
                 "header '%.60s': its percent-encoding is wrong; write '%%25' for a percent sign",
                 name);
    return MHD_YES;
}

static bool is_json(const char *type)
{
    return media_is(type, "application/json") && media_is_utf8(type);
}

bool binary_event(struct str *out, struct request *r)
{
    struct assembly a = { .out = out };
    const char *type = request_header(r, "Content-Type");

    if (!is_json(type)) {
        reply_problem(r, 415, "media-type",
                      "an event in binary mode has its data as application/json in UTF-8");
        return false;
    }
    if (!is_one_object(r->body.data ? r->body.data : "", r->body.len)) {
        reply_problem(r, 400, "invalid-event",
                      "data: the body is not one JSON object, which an event's data has to be");
        return false;
    }
    str_text(out, "{");
    MHD_get_connection_values(r->connection, MHD_HEADER_KIND, each_header, &a);
    if (a.refused[0]) {
        reply_problem(r, 400, "invalid-event", a.refused);
        return false;
    }
    str_text(out, ",\"datacontenttype\":");
    str_json(out, type, strlen(type));
    str_text(out, ",\"data\":");
    str_add(out, r->body.data, r->body.len);
    str_text(out, "}");
    return true;
}
