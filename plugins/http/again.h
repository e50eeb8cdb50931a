/*
 * again.h - answers that are given again as they are, while nothing has happened (pw_host.mark): a
 * page that many people have open asks for the same few schools again and again.
 *
 * What is kept is the whole response, its tag and headers too. Of bounded size.
 */
#ifndef HTTP_AGAIN_H
#define HTTP_AGAIN_H

#include "request.h"

struct again;

/* NULL: no memory; then nothing is kept, which is allowed everywhere below. */
struct again *again_new(void);
void again_free(struct again *k);

/*
 * True: `r` has its answer, one that was kept under `key` and that still holds. False: it has to be
 * asked, and its answer will be kept. `key` is all that the answer depends on beside the mark and
 * the headers; copied.
 */
bool again_answer(struct request *r, const char *key);
/* The request's answer is on its way: keep it, if that was asked for. */
void again_keep(struct request *r);

#endif
