/*
 * life.h - what schools live through beside their groups.
 */
#ifndef PATHWAY_LIFE_H
#define PATHWAY_LIFE_H

#include "telling.h"

/* school.registered for each establishment; those of the first year before it begins. */
void life_register(struct telling *t, const struct school *s);
/* For schools that a register has brought in: open until their day of closing. */
void life_reopen(struct telling *t, const struct school *s);
/* Schools that had come some way before the records begin. */
void life_before(struct telling *t, struct school *s);
/* A year of closures, academies, changes, specialists and waivers. */
void life_year(struct telling *t, struct school *s, int year);

#endif
