/* advise_events.h - the events that might be advised about one subject, before any of them is
 * tried. */
#ifndef PATHWAY_ADVISE_EVENTS_H
#define PATHWAY_ADVISE_EVENTS_H

#include "base/arena.h"
#include "base/json.h"
#include "lua/needs.h"
#include "model/event.h"

#define CANDIDATES_MAX 256

/* A new person in its data is written new-@1, new-@2: several such events in one set name different
 * people. */
struct candidate {
    const struct event_type *type;
    const char *subject;
    const char *data; /* JSON; the arena's */
    bool has_people;
    struct fact_set touches;
};

struct candidates {
    struct candidate items[CANDIDATES_MAX];
    int count;
    int kinds;        /* types of event */
    int known_people; /* the highest number of a new-N that the subject holds already */
};

/* All events of types with `advice` that can touch this subject, with every value that makes a
 * difference in principle. `facts`: what the subject holds, whose groups and years are used. False:
 * no memory. */
bool candidates_find(struct candidates *out, struct arena *arena, const struct catalog *catalog,
                     const char *subject, const struct json *facts, const char *decision,
                     int64_t at);

/* How many people its data names. */
int candidate_people(const struct candidate *c);
/* Append the candidate as a whole event: the one numbered `number` of its set, its new people
 * numbered from `people` + 1 on. Its id follows from what it says, so that whoever sends it twice
 * sends a duplicate, and no two events that say different things have the same. */
void candidate_write(struct buf *out, const struct candidate *c, int number, int people,
                     int64_t at);

#endif
