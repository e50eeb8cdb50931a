/*
 * whatif_request.h - what a what-if is asked: other values of parameters, other rules, about which
 * moment.
 */
#ifndef PATHWAY_WHATIF_REQUEST_H
#define PATHWAY_WHATIF_REQUEST_H

#include "engine/reader.h"
#include "engine/whatif_write.h"
#include "lua/rulebook.h"

struct whatif_request {
    const struct json *set;   /* NULL: no parameters */
    const struct json *files; /* NULL: no other rules */
    bool may_load;            /* who asks may bring rules */
    bool keeps;               /* packs of which `files` has nothing stay as they are */
    const char *hub;
    struct instants when;
    enum row_format format;
};

/* ERR_INPUT: what is wrong with it. All but `when` is borrowed from `params`. */
MUST_CHECK enum err_code whatif_read_request(struct whatif_request *q, struct reader *r,
                                             const struct json *params, struct err *err);

/* The rules of its `files`; with `keeps`, packs that they have nothing of are those of `now`.
 * ERR_INPUT: they have errors. */
MUST_CHECK enum err_code whatif_load_files(struct rulebook **out, const struct whatif_request *q,
                                           const struct rulebook *now, struct err *err);

#endif
