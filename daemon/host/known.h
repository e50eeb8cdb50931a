/*
 * known.h - answers that still hold: what was told about a subject a moment ago, as long as nothing has happened.
 *
 * Only answers about now are kept, each with the state that it was made from. It is told again while
 * that state stands: no commit since, the same rules, no moment due, and for some seconds only, since an answer
 * says what will be within ten years of now. Of bounded size; for one thread.
 */
#ifndef PATHWAY_HOST_KNOWN_H
#define PATHWAY_HOST_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct known;

/* All that an answer depends on, but for the question. */
struct known_state {
    int64_t commits;    /* that were acknowledged when it was asked */
    int64_t generation; /* of the rules */
    int64_t now;        /* the daemon's clock, when it was asked */
    int64_t next_wake;  /* when a moment falls due */
};

/* NULL: no memory; then nothing is known, which is allowed everywhere below. */
struct known *known_new(void);
void known_free(struct known *k);

/* May an answer to this be kept at all? */
bool known_keeps(const char *question, const char *params);
/* The answer, borrowed until the next known_keep(); NULL: ask. */
const char *known_find(const struct known *k, const char *params, const struct known_state *state,
                       size_t *len);
/* `state` is that of the moment when it was asked. */
void known_keep(struct known *k, const char *params, const struct known_state *state,
                const char *text, size_t len);

#endif
