/*
 * rulebook.h - a whole rules folder, loaded: the national pack, and it once more for each hub that
 * has an overlay, together with that.
 *
 * Each of them is a ruleset, a Lua state of its own with its own cap on memory: what a hub's rules
 * do in theirs the others do not feel. Subjects of a hub without an overlay, or of no hub, are
 * judged by the national one. A rulebook belongs to one thread at a time, but for its catalog and
 * what is said of its packs.
 */
#ifndef PATHWAY_LUA_RULEBOOK_H
#define PATHWAY_LUA_RULEBOOK_H

#include "lua/ruleset.h"

struct rulebook;

/*
 * Load all of `dir`, as folder_read() finds it. `national`: where the national pack of a hub's own
 * folder is looked for at last, NULL allowed. ERR_RULE: some pack has errors, all of which are
 * listed in `problems` (NULL allowed); where the national pack has, overlays are not looked at.
 * ERR_ABSENT: there is no such folder or pack.
 */
MUST_CHECK enum err_code rulebook_load(struct rulebook **out, const char *dir, const char *national,
                                       struct problems *problems, struct err *err);
/* The same from files: "national/NAME.lua", "hubs/CODE/NAME.lua". They are copied. */
MUST_CHECK enum err_code rulebook_load_files(struct rulebook **out,
                                             const struct ruleset_file *files, int count,
                                             struct problems *problems, struct err *err);
void rulebook_free(struct rulebook *b);

/* The ruleset that judges subjects of this hub; NULL and hubs without an overlay: the
 * national one. */
struct ruleset *rulebook_of_hub(const struct rulebook *b, const char *hub);
/* Ruleset number `index`: 0 is the national one, then one for each overlay, by the hub's code.
 * NULL: no more. */
struct ruleset *rulebook_at(const struct rulebook *b, int index);
/* Was a hub's own folder loaded? Then the national pack is there only because the overlay
 * needs it. */
bool rulebook_is_one_overlay(const struct rulebook *b);

/* The types of event that any of the packs declares. Read-only, and so usable from any thread. */
const struct catalog *rulebook_catalog(const struct rulebook *b);
/* File number `index` of all packs; false when there are not so many. Borrowed. */
bool rulebook_file_at(struct ruleset_file *out, const struct rulebook *b, int index);
/* Hex digest of all files. Without overlays it is that of the national pack. */
const char *rulebook_digest(const struct rulebook *b);
/* ruleset_set_effects(), ruleset_changes() of all overlays. */
void rulebook_set_effects(struct rulebook *b, unsigned effects);
unsigned rulebook_changes(const struct rulebook *b);
/* Room for the body of the event that is being folded, empty: what was in it before is gone. */
struct arena *rulebook_scratch(struct rulebook *b);
/* How many times rules have been run, in all rulesets. */
uint64_t rulebook_runs(const struct rulebook *b);

#endif
