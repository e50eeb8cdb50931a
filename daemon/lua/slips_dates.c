/* slips_dates.c - dates that stand in no text; see slips.h. Reads just enough of Lua to leave texts
 * and comments out. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/slips.h"

#define DATE_LEN 10

/* Where a long bracket that begins at `p` ends, or NULL: none does. */
static const char *long_end(const char *p, const char *end)
{
    const char *open = p + 1;

    while (open < end && *open == '=')
        open++;
    size_t level = (size_t)(open - p - 1);
    if (*p != '[' || open >= end || *open != '[')
        return NULL;
    for (const char *q = open + 1; q < end; q++)
        if (*q == ']' && (size_t)(end - q) > level + 1 && q[level + 1] == ']' &&
            strspn(q + 1, "=") == level)
            return q + level + 2;
    return end;
}

/* Behind the text or comment that begins here; `p` itself where none does. */
static const char *skip_text(const char *p, const char *end)
{
    const char *far;

    if (end - p > 2 && p[0] == '-' && p[1] == '-') {
        if ((far = long_end(p + 2, end)))
            return far;
        far = memchr(p, '\n', (size_t)(end - p));
        return far ? far : end;
    }
    if (*p == '[' && (far = long_end(p, end)))
        return far;
    if (*p != '"' && *p != '\'')
        return p;
    for (far = p + 1; far < end && *far != *p && *far != '\n'; far++)
        far += *far == '\\';
    return far < end ? far + 1 : end;
}

static bool is_date(const char *p, const char *end)
{
    static const char FORM[] = "dddd-dd-dd";

    for (int i = 0; i < DATE_LEN; i++)
        if (p + i >= end || (FORM[i] == 'd' ? !isdigit((unsigned char)p[i]) : p[i] != FORM[i]))
            return false;
    return p + DATE_LEN == end || !(isalnum((unsigned char)p[DATE_LEN]) || p[DATE_LEN] == '.');
}

const char *slips_in_dates(char *out, size_t size, const char *text, const char *from, size_t len)
{
    const char *end = text + len, *p = from ? from : text;

    while (p < end) {
        const char *behind = skip_text(p, end);
        if (behind > p) {
            p = behind;
        } else if (!isalnum((unsigned char)*p) && *p != '_') {
            p++;
        } else if (is_date(p, end)) {
            int line = 1, year = atoi(p), month = atoi(p + 5), day = atoi(p + 8);
            for (const char *q = text; q < p; q++)
                line += *q == '\n';
            snprintf(out, size,
                     "%d: %.10s without quotes is a calculation, which gives %d; a date is a text: "
                     "\"%.10s\"",
                     line, p, year - month - day, p);
            return p + DATE_LEN;
        } else {
            while (p < end && (isalnum((unsigned char)*p) || *p == '_'))
                p++;
        }
    }
    return NULL;
}
