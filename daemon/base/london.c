/*
 * london.c - see civil.h. Europe/London as a table of its changes from 1900 to 2100.
 *
 * The table is read through the C library once, since switching TZ is not
 * thread-safe. Before 1900 it is Greenwich; after 2100 the rules of 2072 to 2099
 * repeat, a run of years that holds every kind of year.
 */
#include "base/civil.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_YEAR  1900
#define LAST_YEAR   2100
#define CHANGES_MAX 600            /* two a year, and the odd years of the wars */
#define STEP_S      (14 * 86400LL) /* 1947 had changes four weeks apart */

struct change {
    int64_t at;     /* us */
    int64_t offset; /* us beyond UTC from then on */
};
/* Written by civil_init() before there are threads, read-only from then on. */
static struct {
    struct change changes[CHANGES_MAX];
    int count;
} london;

/* -- reading the rules ----------------------------------------------------------------------- */

static int64_t probe(int64_t second)
{
    time_t t = (time_t)second;
    struct tm tm = { 0 };

    return localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}

/* The first second of (before, after] at which the offset is that of `after`. */
static int64_t find_change(int64_t before, int64_t after)
{
    int64_t offset = probe(after);

    while (after - before > 1) {
        int64_t middle = before + (after - before) / 2;
        if (probe(middle) == offset)
            after = middle;
        else
            before = middle;
    }
    return after;
}

static void read_changes(void)
{
    int64_t last = day_from_ymd(LAST_YEAR + 1, 1, 1) * 86400LL;
    int64_t offset = 0;

    london.count = 0;
    for (int64_t at = day_from_ymd(FIRST_YEAR, 1, 1) * 86400LL; at < last; at += STEP_S) {
        int64_t now = probe(at);
        if (now == offset)
            continue;
        if (london.count == CHANGES_MAX)
            return;
        london.changes[london.count++] =
            (struct change){ .at = find_change(at - STEP_S, at) * US_PER_S,
                             .offset = now * US_PER_S };
        offset = now;
    }
}

/* A missing zone reads as UTC: see that what was read is London. */
static bool is_london(void)
{
    return probe(day_from_ymd(2024, 7, 1) * 86400LL) == 3600 &&
           probe(day_from_ymd(2024, 1, 1) * 86400LL) == 0;
}

enum err_code civil_init(struct err *err)
{
    const char *tz = getenv("TZ");
    char *saved = tz ? strdup(tz) : NULL;

    if (london.count > 0) {
        free(saved);
        return OK;
    }
    if (tz && !saved)
        return err_set(err, ERR_LIMIT, "no memory to read the time zone");
    setenv("TZ", ":Europe/London", 1);
    tzset();
    bool is_there = is_london();
    if (is_there)
        read_changes();
    if (saved)
        setenv("TZ", saved, 1);
    else
        unsetenv("TZ");
    tzset();
    free(saved);
    if (!is_there)
        return err_set(err, ERR_IO,
                       "the time zone Europe/London is not on this system: install"
                       " the package tzdata");
    return OK;
}

/* -- using them ------------------------------------------------------------------------------ */

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* For an instant past the table, the same one in a year of the table with the same calendar. */
static int64_t into_table(int64_t t)
{
    int year, month, day;

    day_to_ymd((int32_t)(t / US_PER_DAY), &year, &month, &day);
    if (year <= LAST_YEAR)
        return t;
    int32_t first = day_from_ymd(year, 1, 1);
    int like = LAST_YEAR - 28;
    while (is_leap(like) != is_leap(year) || (first - day_from_ymd(like, 1, 1)) % 7 != 0)
        like++;
    return t - (first - day_from_ymd(like, 1, 1)) * US_PER_DAY;
}

/* Microseconds that the clocks show beyond UTC at instant t. */
static int64_t offset_at(int64_t t)
{
    int low = 0, high = london.count; /* the changes below `low` have happened */

    if (t > 0)
        t = into_table(t);
    while (low < high) {
        int middle = (low + high) / 2;
        if (london.changes[middle].at <= t)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? london.changes[low - 1].offset : 0;
}

/*
 * The instant at which the clocks show `local` (us, as if it were UTC). When they show it
 * twice, the first; when they skip it, as far past the skip as it lies within.
 */
static int64_t instant_of(int64_t local)
{
    int64_t before = offset_at(local - US_PER_DAY);
    int64_t after = offset_at(local + US_PER_DAY);

    if (before != after && offset_at(local - before) != before && offset_at(local - after) == after)
        return local - after;
    return local - before;
}

static int64_t floor_day(int64_t t)
{
    return t / US_PER_DAY - (t % US_PER_DAY < 0);
}

/* TIME_NEVER and the like, brought to where a day fits its type. */
static int64_t clamp(int64_t t)
{
    return t < TIME_MIN ? TIME_MIN : t > TIME_MAX ? TIME_MAX : t;
}

int32_t london_day(int64_t t)
{
    t = clamp(t);
    return (int32_t)floor_day(t + offset_at(t));
}

int64_t london_midnight(int32_t day)
{
    static const int32_t FIRST = (int32_t)(TIME_MIN / US_PER_DAY);
    static const int32_t LAST = (int32_t)(TIME_MAX / US_PER_DAY) + 1;

    day = day < FIRST ? FIRST : day > LAST ? LAST : day;
    return instant_of(day * US_PER_DAY);
}

int64_t london_add_days(int64_t t, int64_t days)
{
    if (days == 0 || t == TIME_NEVER) /* an hour that is shown twice stays the one it is */
        return t;
    int64_t local = clamp(t) + offset_at(clamp(t));
    if (days > (TIME_MAX - local) / US_PER_DAY)
        return TIME_NEVER;
    if (days < (TIME_MIN - local) / US_PER_DAY)
        return TIME_MIN;
    return instant_of(local + days * US_PER_DAY);
}

int year_at(int64_t t)
{
    int year, month, day;

    day_to_ymd(london_day(t), &year, &month, &day);
    return month >= 9 ? year : year - 1;
}

int64_t year_start(int year)
{
    return london_midnight(day_from_ymd(year < 0 ? 0 : year > 9999 ? 9999 : year, 9, 1));
}
