/* shown.c - see shown.h. What UTF-8 is, jansson says. */
#include "shown.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPED_LEN 4 /* \xNN */

/* Bytes of the character that `at` begins with; 0: it is none, or none to be seen. */
static size_t character_len(const char *at)
{
    size_t room = strnlen(at, 4);

    if ((unsigned char)*at < 0x20 || *at == 0x7f)
        return 0;
    for (size_t len = 1; len <= room; len++) {
        json_t *text = json_stringn(at, len);
        json_decref(text);
        if (text)
            return len;
    }
    return 0;
}

void shown_copy(char *out, size_t size, const char *bytes)
{
    size_t used = 0;

    while (*bytes) {
        char escaped[ESCAPED_LEN + 1];
        size_t len = character_len(bytes), written = len;
        const char *from = bytes;
        if (len == 0) {
            snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned char)*bytes);
            from = escaped;
            written = ESCAPED_LEN;
        }
        if (used + written >= size)
            break;
        memcpy(out + used, from, written);
        used += written;
        bytes += len == 0 ? 1 : len;
    }
    out[used] = '\0';
}

char *shown_dup(const char *bytes)
{
    size_t size = strlen(bytes) * ESCAPED_LEN + 1;
    char *out = malloc(size);

    if (out)
        shown_copy(out, size, bytes);
    return out;
}
