/*
 * ruleset.h - a rules folder, loaded: packs checked whole, ready to fold and judge.
 *
 * A ruleset owns one Lua state and belongs to one thread at a time. Load the folder
 * again for another thread.
 */
#ifndef PATHWAY_LUA_RULESET_H
#define PATHWAY_LUA_RULESET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "lua/problems.h"
#include "model/event.h"

/* Which way a rule is stricter, as its pack says: more of it, less of it, values in a list the
 * strictest of which is the first, or neither. */
struct strictness {
    enum {
        STRICTER_UNSAID,
        STRICTER_HIGHER,
        STRICTER_LOWER,
        STRICTER_LISTED,
        STRICTER_NEITHER
    } way;
    const char *const *values; /* of STRICTER_LISTED */
    size_t count;
};

struct ruleset;

/* A file of a pack: what the database archives. */
struct ruleset_file {
    const char *path; /* "national/rules.lua": the same wherever the rules folder lies */
    const char *text;
    size_t len;
    const char
        *folder;   /* where it lies, for messages: "/etc/pathwayd/rules/national"; NULL: nowhere */
    bool is_tests; /* set by loading the national pack by itself: it holds nothing but tests, and an
                      overlay is loaded without it */
};

/*
 * Load the national pack of `dir`: a rules folder (holding national/), or its own folder. Overlays
 * are not looked at: rulebook.h loads a whole folder. ERR_RULE: it has errors, all listed in
 * `problems` (NULL allowed; err has the first). ERR_ABSENT: there is no such folder or pack.
 */
MUST_CHECK enum err_code ruleset_load(struct ruleset **out, const char *dir,
                                      struct problems *problems, struct err *err);
/* The same from files: of the national pack and, where `hub` is not NULL, of that hub's overlay.
 * Those of other hubs are left out. ERR_INPUT: one is called otherwise than PACK/NAME.lua. */
MUST_CHECK enum err_code ruleset_load_files(struct ruleset **out, const struct ruleset_file *files,
                                            int count, const char *hub, struct problems *problems,
                                            struct err *err);
void ruleset_free(struct ruleset *rs);

/* Problems found in loaded rules: have their places shown as those found while loading; NULL: no
 * longer. */
void problems_place(struct problems *p, const struct ruleset *rs);
/* What runs next is counted from its beginning, and so is never suspect for its time; `memory_too`:
 * nor for its memory, for which all garbage is collected before each run. Until ruleset_trust(). */
void ruleset_count(struct ruleset *rs, bool memory_too);
/* After calls that said ERR_BUSY, see record.h: the verdict is there, no more counting. */
void ruleset_trust(struct ruleset *rs);
/* Was the last run ended because it had used up its steps, its time or its memory? */
bool ruleset_was_spent(const struct ruleset *rs);
/* How many runs of rules, reducers and moves on this thread were slow, of whatever ruleset: see
 * sandbox.h. */
uint64_t ruleset_slow_runs(void);
/* What was said of a rule that has used up its budget in the last judgement; NULL: none has.
 * Borrowed until the next. */
const char *ruleset_spent(const struct ruleset *rs);

/* The types of event that the packs declare. Read-only, and so usable from any thread. */
const struct catalog *ruleset_catalog(const struct ruleset *rs);
/* The file number `index`, those of the national pack first; false when there are not so many.
 * Borrowed. */
bool ruleset_file_at(struct ruleset_file *out, const struct ruleset *rs, int index);
/* Hex digest of all files. */
const char *ruleset_digest(const struct ruleset *rs);
/* The hub whose overlay it holds, or NULL: only the national pack. */
const char *ruleset_hub(const struct ruleset *rs);

/* What an overlay changes of the national pack holds, but while it is checked: by the direction in
 * which. */
enum {
    EFFECT_TIGHTEN = 1, /* it asks for more */
    EFFECT_LOOSEN = 2,  /* it asks for less */
    EFFECT_FREELY = 4,  /* parameters that may have any value, and its calendar */
    EFFECT_ALL = 7,
};
/* What follows: those in `effects` hold. */
void ruleset_set_effects(struct ruleset *rs, unsigned effects);
/* Append what the overlay changes as JSON, with the parameters' values at `at`: {"hub", "title",
 * "version", "changes"}; null for the national pack. */
void ruleset_write_overlay(struct buf *out, const struct ruleset *rs, int64_t at);
/* What the overlay does to a rule or decision: "adds", "tighten", "loosen"; NULL: nothing. */
const char *ruleset_overlay_on(const struct ruleset *rs, const char *rule);
/* The directions in which the overlay changes something. */
unsigned ruleset_changes(const struct ruleset *rs);

#endif
