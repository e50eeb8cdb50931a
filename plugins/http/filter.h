/* filter.h - which entries of the feed a reader wants: by hub, subject, decision. */
#ifndef HTTP_FILTER_H
#define HTTP_FILTER_H

#include "request.h"

/* Zeroed to valid: all of them. */
struct filter {
    char *hub, *subject, *decision; /* owned, decoded; NULL: any */
};

/* Take it from the query. False: no memory, or an encoding that is wrong. */
bool filter_read(struct filter *out, const struct request *r);
bool filter_passes(const struct filter *f, const struct pw_change *change);
void filter_fini(struct filter *f);

#endif
