/*
 * hubs.h - which hub a school of the register belongs to: a CSV `code,hub`.
 *
 * A code of three digits is that of a local authority, one of six a school's URN. A school's own
 * line wins over that of its local authority.
 */
#ifndef PATHWAY_CLI_HUBS_H
#define PATHWAY_CLI_HUBS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/strmap.h"

/* Zeroed is empty and valid. */
struct hubs {
    struct arena arena;
    struct strmap by_code;
};

/* ERR_INPUT: a line that is not as above, or contradicts another; the message names it. */
MUST_CHECK enum err_code hubs_load(struct hubs *out, const char *path, struct err *err);
/* `la` NULL allowed. NULL: no hub. */
const char *hubs_find(const struct hubs *h, const char *urn, const char *la);
void hubs_fini(struct hubs *h);

#endif
