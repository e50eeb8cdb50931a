/* binary.h - CloudEvents' binary mode: attributes in ce-* headers, the data as the body. */
#ifndef HTTP_BINARY_H
#define HTTP_BINARY_H

#include "request.h"

/* True when the request has a header of an attribute. */
bool is_binary(const struct request *r);

/* Append the event as JSON. False: an answer is already there. */
bool binary_event(struct str *out, struct request *r);

#endif
