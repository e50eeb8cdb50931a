/* ask.h - put a question to the host and answer the request with what it says. */
#ifndef HTTP_ASK_H
#define HTTP_ASK_H

#include "query.h"
#include "request.h"

/* Ask; `done` (one of those below, or alike) answers. `params` is spent. */
void ask(struct request *r, const char *question, struct str *params, pw_answer_fn *done);
/* Ask with what `params` already holds (an open object) and the query's parameters (query.h), and
 * answer with JSON, unless the peer wants something else. */
void ask_json(struct request *r, const char *question, struct str *params,
              const struct param *known, bool filters);
/* Begin `params` with the subject that the path is about: {"subject":"KIND/SEGMENT". */
void ask_begin_subject(struct str *params, const struct request *r, const char *kind);
/* Of a route that takes none. */
extern const struct param NO_PARAMS[];
/* The plain answers: the host's text as JSON, as JSON of what has been made (201), as CSV,
 * NDJSON. */
pw_answer_fn answer_json, answer_created, answer_csv, answer_ndjson;

#endif
