/* err.c - see err.h. Sentences are built aside, since a caller may pass err->msg itself as "%s". */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Keep the sentence one line, and do not end it within a UTF-8 sequence when it was cut. */
static void store(struct err *err, const char *text, size_t whole_len)
{
    size_t len = strlen(text);

    if (whole_len > len) {
        while (len > 0 && ((unsigned char)text[len - 1] & 0xc0) == 0x80)
            len--;
        if (len > 0 && ((unsigned char)text[len - 1] & 0x80))
            len--;
    }
    for (size_t i = 0; i < len; i++)
        err->msg[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
    err->msg[len] = '\0';
}

enum err_code err_set(struct err *err, enum err_code code, const char *fmt, ...)
{
    char text[sizeof(err->msg)];
    va_list args;

    if (!err)
        return code;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (len < 0) /* only an encoding error of a wide character can do this */
        text[0] = '\0';
    store(err, text, len < 0 ? 0 : (size_t)len);
    err->code = code;
    return code;
}

enum err_code err_at(struct err *err, const char *fmt, ...)
{
    char where[sizeof(err->msg)];
    char text[sizeof(err->msg)];
    va_list args;

    if (!err)
        return ERR_INPUT;
    va_start(args, fmt);
    int len = vsnprintf(where, sizeof(where), fmt, args);
    va_end(args);
    if (len < 0)
        where[0] = '\0';
    len = snprintf(text, sizeof(text), "%.*s: %s", (int)sizeof(where) - 1, where, err->msg);
    store(err, text, len < 0 ? 0 : (size_t)len);
    return err->code;
}
