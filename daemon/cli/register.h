/*
 * register.h - what the daemon holds of schools, what the register says, and the events between.
 */
#ifndef PATHWAY_CLI_REGISTER_H
#define PATHWAY_CLI_REGISTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/strmap.h"
#include "cli/gias.h"

/* Schools that are registered already, by URN, to const char *const[SCHOOL_FIELDS]. Zeroed is
 * valid. */
struct known {
    struct arena arena;
    struct strmap by_urn;
};
/* Read the answer to the question "registered": a school a line, NDJSON. ERR_IO: it is
 * something else. */
MUST_CHECK enum err_code known_read(struct known *out, const char *text, size_t len,
                                    struct err *err);
void known_fini(struct known *k);

enum register_change { REGISTER_SAME, REGISTER_NEW, REGISTER_CHANGED };

/*
 * Append the event that brings `known` to what the register says on `day`, as a line of NDJSON:
 * school.registered for a school not known, school.changed with what differs, or nothing. What the
 * register leaves blank is no difference. Its id depends on nothing but school, day and content, so
 * that the same extract gives the same events.
 *
 * A first registration stands on the day the school opened, if the register knows it, else on
 * REGISTERED_FROM, so that it comes before what the school did; never after `day`.
 */
#define REGISTERED_FROM "2010-09-01"
enum register_change register_event(struct buf *out, const struct known *known,
                                    const struct school *school, int32_t day);

#endif
