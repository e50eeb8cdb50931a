/*
 * instants.h - answers about days and academic years that rules ask for again and again.
 *
 * The same answers as civil.h gives, remembered.
 */
#ifndef PATHWAY_LUA_INSTANTS_H
#define PATHWAY_LUA_INSTANTS_H

#include <stdbool.h>

#include "base/civil.h"

#define INSTANTS_FIRST_YEAR 1900
#define INSTANTS_YEARS      300
#define INSTANTS_SLOTS      256 /* a power of two */
#define INSTANTS_DAYS       512

/* Zeroed to begin. */
struct instants {
    int64_t year_starts[INSTANTS_YEARS]; /* 0: not asked for yet */
    int year_texts[INSTANTS_YEARS];      /* Lua registry references; 0: none yet */
    int spans[INSTANTS_DAYS];            /* of days(n), the same */
    struct {
        uint64_t text; /* seven bytes */
        int year;
    } years[INSTANTS_SLOTS];
    struct {
        int32_t day;
        int64_t at; /* 0: free. No day begins then: in England it was one o'clock */
    } midnights[INSTANTS_SLOTS];
    struct {
        int64_t t, days;
        int64_t at;
    } sums[INSTANTS_SLOTS];
    struct {
        int64_t t;
        int32_t day;
    } days[INSTANTS_SLOTS];
};

int64_t instants_year_start(struct instants *m, int year);
MUST_CHECK enum err_code instants_year(int *out, struct instants *m, const char *s, size_t len,
                                       struct err *err);
int64_t instants_midnight(struct instants *m, int32_t day);
int64_t instants_add_days(struct instants *m, int64_t t, int64_t days);
int32_t instants_day(struct instants *m, int64_t t);

#endif
