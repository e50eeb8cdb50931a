/*
 * loader.h - what the files that read a pack's tables share.
 *
 * A loader walks the tables that the pack's files returned and knows at each entry where it stands,
 * so that a mistake is a problem with its file and line and the rest is read on. All of it may
 * raise for lack of memory.
 */
#ifndef PATHWAY_LUA_LOADER_H
#define PATHWAY_LUA_LOADER_H

#include "lua/places.h"
#include "lua/state.h"

struct part { /* one file's table */
    const char *path;
    int ref; /* Lua registry reference */
    bool is_overlay;
};
struct loader {
    lua_State *L;
    struct ruleset *rs;
    struct problems *problems;
    const struct part *parts;
    int count;
    const struct places *places;
    struct arena *scratch;       /* gone once the pack is loaded */
    int part;                    /* whose tables are being read */
    struct rule_change *changes; /* of national rules by the overlay */
    const char *path[8];         /* keys from the part's table down to the entry on top */
    int depth;
};

/* Call `fn` for each named entry of a section over all parts: the entry is on top of the stack (and
 * is popped by the caller), `where` says in which line of which file it stands. */
typedef void entry_fn(struct loader *ld, const char *name, const char *where, void *arg);
void loader_each(struct loader *ld, const char *section, entry_fn *fn, void *arg);
/* The same inside the table on top. */
void loader_entries(struct loader *ld, const char *section, const char *where, entry_fn *fn,
                    void *arg);

/* Go down to an entry of the table at hand, so that places are looked for there; and up again. */
void loader_enter(struct loader *ld, const char *key);
void loader_enter_number(struct loader *ld, int number);
void loader_leave(struct loader *ld);
/* "FILE:LINE" of the entry at hand, or `otherwise`. Texts are kept in the ruleset's arena. */
const char *loader_place(struct loader *ld, const char *otherwise);
/* Where the table on top was made by a word, else where the entry at hand stands. */
const char *loader_where(struct loader *ld, const char *otherwise);
/* Where each entry without a name, from number 2 on, of the table on top stands, which is the entry
 * at hand. */
const char *const *loader_entry_places(struct loader *ld, const char *otherwise);
/* Where the function on top begins. */
const char *loader_function_where(struct loader *ld);

/* Push the names and numbers that are keys of the table on top, in order; others are problems. */
void loader_push_keys(struct loader *ld, const char *where);
/* The word that made the table on top ("rule", "once"), "" when it is none of the pack language. */
const char *loader_kind(struct loader *ld);
/* A text field of the table on top, or NULL; a problem when it is of another type. */
const char *loader_text(struct loader *ld, const char *field, const char *where);
/* A problem for each key of the table on top that is not in `known` (NULL-terminated). */
void loader_check_keys(struct loader *ld, const char *where, const char *what,
                       const char *const *known);
/* "; did you mean ...?" for a name among the keys of a map, or "". */
const char *loader_hint(struct loader *ld, const char *name, const struct strmap *names);
void *loader_alloc(struct loader *ld, size_t size);
const char *loader_keep(struct loader *ld, const char *text);

/* pack.c: read the tables that the files returned into definitions. */
void pack_define(struct loader *ld);
/* pack_facts.c, pack_params.c (and the calendar), pack_rules.c (and alerts), pack_moves.c,
 * pack_reducers.c */
void pack_define_facts(struct loader *ld);
void pack_define_params(struct loader *ld);
void pack_define_calendar(struct loader *ld);
void pack_define_rules(struct loader *ld);
void pack_define_moves(struct loader *ld);
void pack_define_reducers(struct loader *ld);
/* Read the names of criteria behind the title in the table on top; once all rules are read: can
 * each of them be met? */
void pack_read_criteria(struct loader *ld, struct rule_def *r);
void pack_check_criteria(struct loader *ld, const struct rule_def *r);

/*
 * pack_overlay.c: what a hub's overlay may do.
 */
/* Is it an overlay's table that is being read? */
bool loader_is_overlay(const struct loader *ld);
/* Is this a name of the hub's own: its code, the separator, something? */
bool overlay_owns(struct loader *ld, const char *name, char separator);
/* May it declare this? The national pack may; an overlay only what is its own, else it is a problem
 * that names also where the national pack has it (`national`, NULL: nowhere). */
bool overlay_may_add(struct loader *ld, const char *what, const char *name, char separator,
                     const char *where, const char *national);
/* May the overlay change this national name? NULL: no, and that is a problem. */
const struct opening *overlay_may_change(struct loader *ld, const char *what, const char *name,
                                         const char *where, const char *national);
const struct opening *overlay_opening(const struct loader *ld, const char *name);
/* Is what the overlay has in place of this parameter's values allowed, at all times? */
void overlay_check_param(struct loader *ld, const struct param_def *p);
/* Note that the overlay changes a national rule; the table is on top. */
void overlay_add_change(struct loader *ld, const char *name, const char *where,
                        const char *national);
/* Check the `hub` of the overlay's table on top. */
void overlay_check_hub(struct loader *ld, const char *where, const char **named);
/* Before parameters and rules: what is open. After them: is it there; and the changes of rules. */
void pack_define_open(struct loader *ld);
void pack_define_changes(struct loader *ld);

/* pack_check.c: check every name that functions read from their view. */
void pack_check_functions(struct loader *ld);
/* A problem where the function on top, or one inside it, sets a variable of the file around it. */
void pack_check_keeps_nothing(struct loader *ld);
/* freeze.c: nothing that the functions of a pack share can be changed any more. */
void pack_freeze(struct loader *ld);
/* Check the global names of a whole file, whose main function is on top of the stack. */
void pack_check_file(struct loader *ld, const char *file);

#endif
