/*
 * attribute.h - the attributes of a CloudEvent: which names and values are allowed.
 *
 * What CloudEvents 1.0 says of each, with our bounds on length; what pathwayd
 * requires beyond it is event.c's.
 */
#ifndef PATHWAY_ATTRIBUTE_H
#define PATHWAY_ATTRIBUTE_H

#include "base/err.h"
#include "base/json.h"

#define ATTRIBUTE_MAX_BYTES 256 /* of id, source, type */
#define SEQUENCE_MAX_BYTES  64

/*
 * Check one member of an event, "data" aside. null is the same as absent, as CloudEvents says.
 * ERR_INPUT: the message begins with the attribute's name.
 */
MUST_CHECK enum err_code attribute_check(const struct json *member, struct err *err);

/* The value of a required attribute that attribute_check() has passed. ERR_INPUT: it is
 * missing; the message names the member that looks like a slip of it. */
MUST_CHECK enum err_code attribute_require(const struct json **out, const struct json *event,
                                           const char *name, const char *expected, struct err *err);

#endif
