/*
 * wire.h - what libmicrohttpd lets through, and what it answers by itself.
 *
 * It is lenient: whoever reads a request's length otherwise than we do, a proxy before us perhaps,
 * could be made to see one request where we see two. What shows in the headers is refused here, and
 * the connection closed; docs/operator.md says what does not show, and which proxy closes that.
 */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include "request.h"

/* What is wrong with the headers, a sentence written into out (returned); NULL: nothing. */
const char *wire_problem(const struct request *r, char *out, size_t size);

#endif
