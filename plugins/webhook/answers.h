/*
 * answers.h - what all questions to the plugin have in common: who asks early waits, parameters are
 * read, what was changed is on disk before it is said to be.
 */
#ifndef WEBHOOK_ANSWERS_H
#define WEBHOOK_ANSWERS_H

#include "webhook.h"

void refuse(const struct webhook *w, struct pw_question *q, enum pw_status status, const char *fmt,
            ...) __attribute__((format(printf, 4, 5)));
/* `value` is spent. */
void answer(const struct webhook *w, struct pw_question *q, json_t *value);

/* The webhooks have not been read yet, or the plugin stops. True: it waits, and `fn` will be called
 * again with it, or it has been refused. */
bool must_wait(struct webhook *w, struct pw_question *q, const char *params, pw_question_fn *fn);

/* The parameters, for json_decref(); NULL: the question has been refused. `known` ends with
 * NULL. */
json_t *read_params(const struct webhook *w, struct pw_question *q, const char *text,
                    const char *const *known);
/* The endpoint that `name` names; NULL: refused. */
struct endpoint *named(struct webhook *w, struct pw_question *q, const json_t *params);

/* Keep the endpoint in the database, then answer. `value` is spent. */
void keep_and_answer(struct endpoint *e, struct pw_question *q, json_t *value);

/* An answer that waits for something else to be kept: kept_done() is what is to be called then. */
struct kept;
/* `value` is spent. NULL: no memory. */
struct kept *kept_new(struct webhook *w, struct pw_question *q, json_t *value);
void kept_free(struct kept *k);
void kept_done(void *arg, enum pw_status status, const char *text, size_t len);

#endif
