/* names.c - see names.h. */
#include "cli/names.h"

#include <stdlib.h>
#include <string.h>

enum err_code names_split(struct names *out, const char *text, struct err *err)
{
    memset(out, 0, sizeof(*out));
    if (!text)
        return OK;
    /* No list has more items than half its bytes, and one. */
    out->text = strdup(text);
    out->items = calloc(strlen(text) / 2 + 1, sizeof(*out->items));
    if (!out->text || !out->items) {
        names_fini(out);
        return err_set(err, ERR_LIMIT, "no memory for a list of names");
    }
    char *rest = NULL;
    for (char *word = strtok_r(out->text, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest))
        out->items[out->count++] = word;
    return OK;
}

void names_fini(struct names *n)
{
    free(n->items);
    free(n->text);
    memset(n, 0, sizeof(*n));
}
