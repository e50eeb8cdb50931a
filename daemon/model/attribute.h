/*
 * attribute.h - the attributes of a CloudEvent: which names and values are allowed.
 *
 * What CloudEvents 1.0 says of each, with our bounds on length; what pathwayd
 * requires beyond it is event.c's.
 */
#ifndef PATHWAY_ATTRIBUTE_H
#define PATHWAY_ATTRIBUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

#define ATTRIBUTE_MAX_BYTES 256 /* of id, source, type */
#define SEQUENCE_MAX_BYTES  64

/* In the order of their names, which is that of canonical form. */
enum attribute {
    ATTRIBUTE_DATA,
    ATTRIBUTE_DATA_BASE64,
    ATTRIBUTE_DATACONTENTTYPE,
    ATTRIBUTE_DATASCHEMA,
    ATTRIBUTE_ID,
    ATTRIBUTE_SEQUENCE,
    ATTRIBUTE_SOURCE,
    ATTRIBUTE_SPECVERSION,
    ATTRIBUTE_SUBJECT,
    ATTRIBUTE_TIME,
    ATTRIBUTE_TYPE,
    ATTRIBUTE_EXTENSION, /* any other */
};
#define ATTRIBUTES ATTRIBUTE_EXTENSION /* that have a name of their own */

enum attribute attribute_of(const char *name);

/*
 * Check one member of an event, "data" aside. null is the same as absent, as CloudEvents says.
 * ERR_INPUT: the message begins with the attribute's name.
 */
MUST_CHECK enum err_code attribute_check(const struct json *member, struct err *err);

struct attributes {
    const struct json *found[ATTRIBUTES]; /* of those that are given */
    uint32_t given;                       /* a bit for each, by its number; null is not given */
    uint32_t extensions;                  /* how many members there are besides */
    int64_t time;                         /* what "time" says, when it is given */
};
static inline bool attribute_is_given(const struct attributes *a, enum attribute attribute)
{
    return a->given >> attribute & 1;
}
/* Check all members of an event. */
MUST_CHECK enum err_code attributes_read(struct attributes *out, const struct json *event,
                                         struct err *err);

/* The value of a required attribute that attribute_check() has passed. ERR_INPUT: it is
 * missing; the message names the member that looks like a slip of it. */
MUST_CHECK enum err_code attribute_require(const struct json **out, const struct json *event,
                                           const char *name, const char *expected, struct err *err);

#endif
