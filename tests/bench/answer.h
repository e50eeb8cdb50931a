/*
 * answer.h - an HTTP answer as it comes in: its status, its length, the start of its body.
 */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_KEPT 8192 /* bytes that are kept: the head, and of the body what fits */

struct answer {
    char kept[ANSWER_KEPT + 1]; /* always with a NUL behind it */
    size_t kept_len;
    size_t seen;     /* bytes that came, kept or not */
    size_t body;     /* where the body begins; 0: the head is not whole yet */
    size_t expected; /* bytes in all, once the head is whole */
    int status;
};

void answer_reset(struct answer *a);
/* Take in what came. True: it is whole. What is not an answer with a length ends the program. */
bool answer_take(struct answer *a, const char *bytes, size_t len);

#endif
