/* instants.c - see instants.h. Each slot holds the last question that fell on it, with its
 * answer. */
#include "lua/instants.h"

#include <string.h>

static size_t slot_of(uint64_t question)
{
    return (question * 0x9e3779b97f4a7c15u) >> 32 & (INSTANTS_SLOTS - 1);
}

int64_t instants_year_start(struct instants *m, int year)
{
    int i = year - INSTANTS_FIRST_YEAR;

    if (i < 0 || i >= INSTANTS_YEARS)
        return year_start(year);
    if (m->year_starts[i] == 0)
        m->year_starts[i] = year_start(year);
    return m->year_starts[i];
}

enum err_code instants_year(int *out, struct instants *m, const char *s, size_t len,
                            struct err *err)
{
    uint64_t text = 0;

    if (len != YEAR_TEXT - 1)
        return year_parse(out, s, len, err);
    memcpy(&text, s, YEAR_TEXT - 1);
    size_t slot = slot_of(text);
    if (m->years[slot].text != text) {
        enum err_code rc = year_parse(&m->years[slot].year, s, len, err);
        m->years[slot].text = rc == OK ? text : 0;
        if (rc != OK)
            return rc;
    }
    *out = m->years[slot].year;
    return OK;
}

int64_t instants_midnight(struct instants *m, int32_t day)
{
    size_t slot = slot_of((uint64_t)day);

    if (m->midnights[slot].day != day || m->midnights[slot].at == 0) {
        m->midnights[slot].day = day;
        m->midnights[slot].at = london_midnight(day);
    }
    return m->midnights[slot].at;
}

int64_t instants_add_days(struct instants *m, int64_t t, int64_t days)
{
    size_t slot = slot_of((uint64_t)t ^ (uint64_t)days << 40);

    if (m->sums[slot].t != t || m->sums[slot].days != days) {
        m->sums[slot].at = london_add_days(t, days); /* at first all is 0, which is right */
        m->sums[slot].t = t;
        m->sums[slot].days = days;
    }
    return m->sums[slot].at;
}

int32_t instants_day(struct instants *m, int64_t t)
{
    size_t slot = slot_of((uint64_t)t);

    if (m->days[slot].t != t) {
        m->days[slot].t = t; /* at first all is 0: the instant 0 lay on day 0 */
        m->days[slot].day = london_day(t);
    }
    return m->days[slot].day;
}
