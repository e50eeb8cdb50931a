/* answer.c - see answer.h. */
#include "answer.h"

#include <stdlib.h>
#include <string.h>

#include "common.h"

void answer_reset(struct answer *a)
{
    a->kept_len = a->seen = a->body = a->expected = 0;
    a->status = 0;
    a->kept[0] = '\0';
}

static void read_head(struct answer *a)
{
    const char *end = strstr(a->kept, "\r\n\r\n");

    if (!end) {
        if (a->kept_len == ANSWER_KEPT)
            die("the head of an answer is longer than %d bytes", ANSWER_KEPT);
        return;
    }
    const char *length = strcasestr(a->kept, "\r\ncontent-length:");
    if (strncmp(a->kept, "HTTP/1.1 ", 9) != 0 || !length || length > end)
        die("found an answer without a length: %.300s", a->kept);
    a->status = atoi(a->kept + 9);
    a->body = (size_t)(end - a->kept) + 4;
    a->expected = a->body + strtoul(length + 17, NULL, 10);
}

bool answer_take(struct answer *a, const char *bytes, size_t len)
{
    size_t room = ANSWER_KEPT - a->kept_len;
    size_t keep = len < room ? len : room;

    memcpy(a->kept + a->kept_len, bytes, keep);
    a->kept_len += keep;
    a->kept[a->kept_len] = '\0';
    a->seen += len;
    if (a->body == 0)
        read_head(a);
    if (a->body > 0 && a->seen > a->expected)
        die("an answer is longer than it says");
    return a->body > 0 && a->seen == a->expected;
}
