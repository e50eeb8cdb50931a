/*
 * request_rules.h - somebody asks for other rules: the question and its parameters, read and
 * checked.
 */
#ifndef PATHWAY_HOST_REQUEST_RULES_H
#define PATHWAY_HOST_REQUEST_RULES_H

#include <pathway/plugin.h>

#include "base/arena.h"
#include "base/err.h"
#include "engine/proposal.h"
#include "host/job.h"

struct rules_request {
    struct rules_request *next;
    struct arena arena;
    struct proposal proposal; /* but for its folder */
    pw_answer_fn *done;       /* NULL: nobody has to be told */
    void *arg;
    struct job job; /* on its way back at once */
};

/* "reload", "overlay_push", "overlay_rollback"; see reload_ask(). ERR_INPUT: what is wrong with the
 * parameters. *out is there in any case, unless there is no memory (ERR_LIMIT, NULL); free it with
 * rules_request_free(). */
MUST_CHECK enum err_code rules_request_read(struct rules_request **out, const char *question,
                                            const char *params, struct err *err);
/* NULL allowed. */
void rules_request_free(struct rules_request *r);

#endif
