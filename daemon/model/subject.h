/*
 * subject.h - what events are about: "school/100001", "group/h07-dev-2024", "hub/07".
 */
#ifndef PATHWAY_SUBJECT_H
#define PATHWAY_SUBJECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum subject_kind { SUBJECT_SCHOOL, SUBJECT_GROUP, SUBJECT_HUB };
#define SUBJECT_KINDS 3
#define SUBJECT_MAX   72 /* bytes of the longest subject with its NUL */

/* "school", "group", "hub". */
const char *subject_kind_name(enum subject_kind kind);
/* The kind called `name`; false when there is none. */
bool subject_kind_parse(enum subject_kind *out, const char *name);

/*
 * Check a whole subject. A school's code is its URN (1 to 10 digits); a group's
 * or hub's is 1 to 64 of `A-Z a-z 0-9 . _ -`. ERR_INPUT says what was found and expected,
 * with the nearest kind.
 */
MUST_CHECK enum err_code subject_parse(enum subject_kind *out, const char *s, size_t len,
                                       struct err *err);
/* The part behind the slash of a checked subject. */
const char *subject_code(const char *subject);
/* Of a hub its own code, else NULL. */
const char *subject_hub(const char *subject);
/* A hub's or group's code alone (the value of a field of type hub). */
bool subject_code_is_valid(enum subject_kind kind, const char *code, size_t len);

#endif
