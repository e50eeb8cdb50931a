/*
 * civil.h - instants, days and the time zone of England.
 *
 * An instant is int64 microseconds since 1970-01-01T00:00:00Z. A day is int32
 * days since 1970-01-01 in the proleptic Gregorian calendar. Schools live by
 * Europe/London: its rules come from the system's tzdata, read once.
 */
#ifndef PATHWAY_CIVIL_H
#define PATHWAY_CIVIL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define US_PER_S   1000000LL
#define US_PER_DAY (86400LL * US_PER_S)
#define TIME_NEVER INT64_MAX                            /* later than every instant */
#define TIME_MIN   (-62135596800LL * US_PER_S)          /* 0001-01-01T00:00:00Z */
#define TIME_MAX   (253402300799LL * US_PER_S + 999999) /* 9999-12-31T23:59:59.999999Z */

/*
 * Read Europe/London from the system's tzdata. Call once, before any other
 * thread starts; all other functions here are then pure. ERR_IO: tzdata is missing
 * (the message says what to install). A second call does nothing.
 */
MUST_CHECK enum err_code civil_init(struct err *err);

/* RFC 3339 with any offset; digits beyond the microsecond are dropped; a leap second :60, which
 * only the last minute of a month (in UTC) has, is the next minute's start. Years 0001 to 9999.
 * ERR_INPUT: `found "...", expected ...: why`, for the caller to put a place before. */
MUST_CHECK enum err_code time_parse(int64_t *out, const char *s, size_t len, struct err *err);
/* RFC 3339, or a date alone: the start of that day in Europe/London. For the command line and
 * queries. */
MUST_CHECK enum err_code moment_parse(int64_t *out, const char *s, struct err *err);
/* YYYY-MM-DD. */
MUST_CHECK enum err_code day_parse(int32_t *out, const char *s, size_t len, struct err *err);

#define TIME_TEXT 28 /* "2026-11-21T09:30:00.000000Z" and the NUL */
#define DAY_TEXT  11
/* UTC with six digits, as the feed and the log write it. `out` holds TIME_TEXT bytes and is
 * returned. */
const char *time_text(int64_t t, char *out);
/* As people write it: a midnight in London as its day, a whole second without the digits behind
 * it. Reads as the same instant again. After civil_init(). */
const char *moment_text(int64_t t, char *out);
const char *day_text(int32_t day, char *out);

int32_t day_from_ymd(int year, int month, int day);
void day_to_ymd(int32_t day, int *year, int *month, int *mday);

int32_t london_day(int64_t t);        /* the civil day at instant t */
int64_t london_midnight(int32_t day); /* the instant at which that day starts */
/* The same wall-clock time `days` days later (or earlier): how people count days. A time that the
 * clocks skip on that day becomes one hour later, one that they show twice the first of the two.
 * Beyond the calendar: TIME_NEVER, or TIME_MIN. */
int64_t london_add_days(int64_t t, int64_t days);

/* Academic years by their starting year: 2024 is "2024/25", 1 September 2024 to 1 September
 * 2025. */
#define YEAR_TEXT 8
MUST_CHECK enum err_code year_parse(int *out, const char *s, size_t len, struct err *err);
const char *year_text(int year, char *out);
int year_at(int64_t t);       /* the academic year running at t */
int64_t year_start(int year); /* 1 September 00:00 Europe/London */

#endif
