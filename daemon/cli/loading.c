/* loading.c - see loading.h. */
#include "cli/loading.h"

#include <stdio.h>

enum cli_exit loading_failed(const struct problems *problems, const struct err *err)
{
    for (const struct problem *p = problems->first; p; p = p->next)
        fprintf(stderr, "%s\n", p->text);
    if (!problems->count)
        fprintf(stderr, "pathway: %s\n", err->msg);
    return err->code == ERR_RULE ? CLI_NO : CLI_FAILED;
}
