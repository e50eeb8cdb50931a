/*
 * json_roads.h - the two roads of json_parse(). Only json.c takes them, and tests that compare.
 *
 * The strict one decides, and tells what is wrong. The fast one gives a tree only where the strict
 * one would give the very same, and does not know about everything else.
 */
#ifndef PATHWAY_JSON_ROADS_H
#define PATHWAY_JSON_ROADS_H

#include <math.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "base/json.h"

/* The tree, in `arena`, or NULL: it does not know. `len` is at most INT32_MAX. */
const struct json *json_fast(struct arena *arena, const char *bytes, size_t len, int max_depth);

/* Is it JSON by RFC 8259, of at most 1024 levels, with no number out of range? Names may stand
 * twice and hold anything. */
bool json_is_well_formed(const char *bytes, size_t len);

/* All that json_parse() promises. */
MUST_CHECK enum err_code json_strict(const struct json **out, struct arena *arena,
                                     const char *bytes, size_t len, int max_depth, struct err *err);

/* Make `out`, but for its name and next, a real, or an integer where json.h says so. */
static inline void json_set_real(struct json *out, double real)
{
    const double edge = 9223372036854775808.0; /* 2^63: the first whole number beyond int64 */

    out->len = 0;
    if (real >= -edge && real < edge && floor(real) == real) {
        out->type = JSON_INT;
        out->as.integer = (int64_t)real;
    } else {
        out->type = JSON_REAL;
        out->as.real = real;
    }
}

#ifdef __cplusplus
}
#endif

#endif
