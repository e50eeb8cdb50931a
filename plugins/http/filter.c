/* filter.c - see filter.h. */
#include "filter.h"

#include <stdlib.h>
#include <string.h>

static bool take(char **out, const struct request *r, const char *name)
{
    const char *value = request_parameter(r, name);

    *out = NULL;
    if (!value)
        return true;
    *out = strdup(value);
    return *out && percent_decode(*out, value, strlen(value));
}

bool filter_read(struct filter *out, const struct request *r)
{
    *out = (struct filter){ 0 };
    if (take(&out->hub, r, "hub") && take(&out->subject, r, "subject") &&
        take(&out->decision, r, "decision"))
        return true;
    filter_fini(out);
    return false;
}

bool filter_passes(const struct filter *f, const struct pw_change *change)
{
    return (!f->hub || (change->hub && strcmp(f->hub, change->hub) == 0)) &&
           (!f->subject || strcmp(f->subject, change->subject) == 0) &&
           (!f->decision || strcmp(f->decision, change->decision) == 0);
}

void filter_fini(struct filter *f)
{
    free(f->hub);
    free(f->subject);
    free(f->decision);
    *f = (struct filter){ 0 };
}
