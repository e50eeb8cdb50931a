/*
 * names.h - a list written "a,b,c".
 */
#ifndef PATHWAY_CLI_NAMES_H
#define PATHWAY_CLI_NAMES_H

#include "base/err.h"

struct names {
    const char **items; /* owned, as is the text that they point into; NULL when there are none */
    int count;
    char *text;
};

/* Split at commas, dropping spaces around and empty items. NULL `text` gives no names. */
MUST_CHECK enum err_code names_split(struct names *out, const char *text, struct err *err);
void names_fini(struct names *n);

#endif
