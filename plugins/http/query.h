/* query.h - from a query string to the JSON parameters of a question. */
#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

#include "request.h"

enum param_kind {
    PARAM_TEXT,
    PARAM_NUMBER, /* as a JSON number when it is one */
    PARAM_LIST,   /* a,b,c as an array of texts */
    PARAM_FLAG,   /* for HTTP alone: not passed on */
};

struct param {
    const char *name; /* NULL: the end */
    enum param_kind kind;
};

/*
 * Append `"name":value` for each parameter of the request, with a comma before it when `out` is
 * not just "{". Those not in `known` go into "where" when `filters`, else on as they are, for
 * the question to refuse. False: an answer (400) is already there.
 */
bool query_params(struct str *out, struct request *r, const struct param *known, bool filters);

#endif
