/*
 * terms.h - the school calendar, as far as invented events need it.
 */
#ifndef PATHWAY_TERMS_H
#define PATHWAY_TERMS_H

#include <stdint.h>

#define HALF_TERMS 6

struct span {
    int32_t first, last; /* days, both included */
};

/* The teaching days of a half term (1 to 6) of the academic year that starts in `year`. */
struct span half_term(int year, int number);
/* From the first teaching day of a term (1 to 3) to its last. */
struct span term(int year, int number);
/* The first of September. */
int32_t year_first_day(int year);

#endif
