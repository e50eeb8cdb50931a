/*
 * telling.h - one telling of the story: the tape it goes to, its dice, its schools.
 *
 * tell() is how all that happens to a school gets on the tape: under the URN that the school has
 * on that day, at an hour at which people work, written down a little later, and sometimes much
 * later. In the last year everybody is quick, so that the alerts of today are there to be seen.
 */
#ifndef PATHWAY_TELLING_H
#define PATHWAY_TELLING_H

#include "cast.h"
#include "dice.h"
#include "tape.h"

struct telling {
    struct tape *tape;
    struct cast *cast;
    struct dice dice;
    int first_year, last_year; /* academic years, by their starting year */
    int successions;           /* told so far */
};

/* A working hour of that day, or of the Monday after it. */
int64_t working_hour(struct telling *t, int32_t day);
/* When something that happened at `at` is written down. */
int64_t told_after(struct telling *t, int64_t at);
/* An event of a school. TAPE_NONE when it is closed that day, or the story has ended. */
uint32_t tell(struct telling *t, const struct school *s, int32_t day, const char *type,
              const char *data, ...) PRINTF_LIKE(5, 6);
/* The same, written down `delay_days` later. */
uint32_t tell_late(struct telling *t, const struct school *s, int32_t day, int delay_days,
                   const char *type, const char *data, ...) PRINTF_LIKE(6, 7);

#define PERSON_TEXT 40
/* "p-100001-1"; teacher 0 is the head. */
const char *person_key(const struct school *s, int number, char out[PERSON_TEXT]);
/* See that the headteacher has committed and two lead participants are named by that day. */
void tell_commitment(struct telling *t, struct school *s, int32_t day);
void tell_leads(struct telling *t, struct school *s, int32_t day);

#endif
