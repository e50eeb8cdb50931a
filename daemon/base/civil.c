/* civil.c - see civil.h. Days and years by arithmetic, times and days from text and back. */
#include "base/civil.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 40 /* of a wrong text, so many bytes are repeated in the message */

/* -- days ------------------------------------------------------------------------------------ */

/* Counted in eras of 400 years that begin on 1 March, so that the leap day stands last. */
int32_t day_from_ymd(int year, int month, int day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

void day_to_ymd(int32_t day, int *year, int *month, int *mday)
{
    int64_t z = (int64_t)day + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int doe = (int)(z - era * 146097);
    int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int mp = (5 * doy + 2) / 153;

    *mday = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int)(yoe + era * 400) + (*month <= 2);
}

static int days_in_month(int year, int month)
{
    static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return DAYS[month - 1] + (month == 2 && is_leap);
}

/* -- reading --------------------------------------------------------------------------------- */

/* Text being read; once something does not fit, `wrong` says what and the rest reads as 0. */
struct reader {
    const char *at;
    const char *end;
    const char *wrong;
};

static void fail(struct reader *r, const char *wrong)
{
    if (!r->wrong)
        r->wrong = wrong;
    r->at = r->end;
}

static int read_digits(struct reader *r, int count, const char *wrong)
{
    const char *at = r->at;
    int value = 0;

    for (int i = 0; i < count; i++) {
        if (at + i == r->end || at[i] < '0' || at[i] > '9') {
            fail(r, wrong);
            return 0;
        }
        value = value * 10 + (at[i] - '0');
    }
    r->at = at + count;
    return value;
}

/* True, and one further, when the next byte is one of `set`. */
static bool read_one_of(struct reader *r, const char *set)
{
    if (r->at == r->end)
        return false;
    for (; *set; set++) {
        if (*set == *r->at) {
            r->at++;
            return true;
        }
    }
    return false;
}

static int32_t read_day(struct reader *r)
{
    static const char SHAPE[] = "a date has four, two and two digits";

    int year = read_digits(r, 4, SHAPE);
    if (!read_one_of(r, "-"))
        fail(r, SHAPE);
    int month = read_digits(r, 2, SHAPE);
    if (!read_one_of(r, "-"))
        fail(r, SHAPE);
    int day = read_digits(r, 2, SHAPE);
    if (r->wrong)
        return 0;
    if (year < 1)
        fail(r, "the year 0000 is before the calendar");
    else if (month < 1 || month > 12)
        fail(r, "there is no such month");
    else if (day < 1 || day > days_in_month(year, month))
        fail(r, "that month has no such day");
    return r->wrong ? 0 : day_from_ymd(year, month, day);
}

/* HH:MM:SS and a fraction, as microseconds. A second of 60 is found by the caller. */
static int64_t read_clock(struct reader *r, int *second)
{
    static const char SHAPE[] = "the clock has the form HH:MM:SS";
    int64_t fraction = 0;

    int hour = read_digits(r, 2, SHAPE);
    if (!read_one_of(r, ":"))
        fail(r, SHAPE);
    int minute = read_digits(r, 2, SHAPE);
    if (!read_one_of(r, ":"))
        fail(r, SHAPE);
    *second = read_digits(r, 2, SHAPE);
    if (read_one_of(r, ".")) {
        fraction = read_digits(r, 1, "a fraction needs a digit") * 100000LL;
        for (int64_t unit = 10000; r->at < r->end && *r->at >= '0' && *r->at <= '9'; unit /= 10)
            fraction += (*r->at++ - '0') * unit; /* beyond the microsecond the unit is 0 */
    }
    if (hour > 23 || minute > 59 || *second > 60)
        fail(r, "the clock goes to 23:59:59");
    if (*second == 60)
        fraction = 0;
    return ((hour * 60 + minute) * 60 + *second) * US_PER_S + fraction;
}

/* Z, or what the clock shows beyond UTC; microseconds. */
static int64_t read_offset(struct reader *r)
{
    static const char SHAPE[] = "it must end with Z or an offset such as +01:00";

    if (read_one_of(r, "Zz"))
        return 0;
    bool is_west = r->at < r->end && *r->at == '-';
    if (!read_one_of(r, "+-"))
        fail(r, SHAPE);
    int hours = read_digits(r, 2, SHAPE);
    if (!read_one_of(r, ":"))
        fail(r, SHAPE);
    int minutes = read_digits(r, 2, SHAPE);
    if (hours > 23 || minutes > 59)
        fail(r, "an offset goes to 23:59");
    int64_t offset = (hours * 60 + minutes) * 60 * US_PER_S;
    return is_west ? -offset : offset;
}

/* Leap seconds have always been the last second, in UTC, of a month. */
static bool follows_a_month(int64_t t)
{
    int year, month, day;

    if (t % US_PER_DAY != 0)
        return false;
    day_to_ymd((int32_t)(t / US_PER_DAY), &year, &month, &day);
    return day == 1;
}

static enum err_code unreadable(struct reader *r, const char *s, size_t len, const char *expected,
                                struct err *err)
{
    int shown = len > SHOWN ? SHOWN : (int)len;

    while (len > SHOWN && shown > 0 && (s[shown] & 0xc0) == 0x80) /* whole characters only */
        shown--;
    return err_set(err, ERR_INPUT, "found \"%.*s%s\", expected %s: %s", shown, s,
                   len > SHOWN ? "..." : "", expected, r->wrong);
}

/* Two digits, or more than 99. */
static unsigned two_digits(const char *s)
{
    unsigned tens = (unsigned)(s[0] - '0'), ones = (unsigned)(s[1] - '0');
    return tens > 9 || ones > 9 ? 100 : tens * 10 + ones;
}

/* How programs write times, "2026-11-21T09:30:00Z" or with six digits of a fraction. False: it is
 * written otherwise, or wrong. */
static bool read_usual_time(int64_t *out, const char *s, size_t len)
{
    unsigned us[3] = { 0, 0, 0 };

    if ((len != 20 && len != 27) || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' ||
        s[16] != ':' || s[len - 1] != 'Z')
        return false;
    unsigned century = two_digits(s), year = two_digits(s + 2);
    unsigned month = two_digits(s + 5), day = two_digits(s + 8);
    unsigned hour = two_digits(s + 11), minute = two_digits(s + 14), second = two_digits(s + 17);
    for (int i = 0; i < 3 && len == 27; i++)
        us[i] = two_digits(s + 20 + 2 * i);
    if (len == 27 && (s[19] != '.' || us[0] > 99 || us[1] > 99 || us[2] > 99))
        return false;
    if (century > 99 || year > 99 || hour > 23 || minute > 59 || second > 59)
        return false;
    year += century * 100;
    if (year < 1 || month < 1 || month > 12 || day < 1 ||
        day > (unsigned)days_in_month((int)year, (int)month))
        return false;
    *out = day_from_ymd((int)year, (int)month, (int)day) * US_PER_DAY +
           ((hour * 60 + minute) * 60 + second) * US_PER_S + (us[0] * 100 + us[1]) * 100 + us[2];
    return true;
}

enum err_code time_parse(int64_t *out, const char *s, size_t len, struct err *err)
{
    if (read_usual_time(out, s, len))
        return OK;
    struct reader r = { .at = s, .end = s + len };
    int second = 0;

    int32_t day = read_day(&r);
    if (!r.wrong && r.at == r.end)
        fail(&r, "this is a day without a time");
    if (!read_one_of(&r, "Tt"))
        fail(&r, "a T stands between day and clock");
    int64_t clock = read_clock(&r, &second);
    int64_t offset = read_offset(&r);
    if (r.at != r.end)
        fail(&r, "nothing may follow the offset");
    int64_t t = day * US_PER_DAY + clock - offset;
    if (!r.wrong && second == 60 && !follows_a_month(t))
        fail(&r, "a second 60 ends a month, in UTC");
    if (!r.wrong && (t < TIME_MIN || t > TIME_MAX))
        fail(&r, "in UTC it is outside the years 0001 to 9999");
    if (r.wrong)
        return unreadable(&r, s, len, "an RFC 3339 time such as 2026-11-21T09:30:00Z", err);
    *out = t;
    return OK;
}

enum err_code day_parse(int32_t *out, const char *s, size_t len, struct err *err)
{
    struct reader r = { .at = s, .end = s + len };

    int32_t day = read_day(&r);
    if (r.at != r.end)
        fail(&r, "nothing may follow the day");
    if (r.wrong)
        return unreadable(&r, s, len, "a date such as 2026-11-21", err);
    *out = day;
    return OK;
}

enum err_code moment_parse(int64_t *out, const char *s, struct err *err)
{
    size_t len = strlen(s);
    int32_t day;

    if (memchr(s, 'T', len) || memchr(s, 't', len))
        return time_parse(out, s, len, err);
    struct reader r = { .at = s, .end = s + len };
    day = read_day(&r);
    if (r.at != r.end)
        fail(&r, "nothing may follow the day but T and the time");
    if (r.wrong)
        return unreadable(&r, s, len, "a date such as 2026-11-21 or an RFC 3339 time", err);
    *out = london_midnight(day);
    return OK;
}

enum err_code year_parse(int *out, const char *s, size_t len, struct err *err)
{
    struct reader r = { .at = s, .end = s + len };
    static const char SHAPE[] = "it has four digits, a slash and two digits";

    int year = read_digits(&r, 4, SHAPE);
    if (!read_one_of(&r, "/"))
        fail(&r, SHAPE);
    int next = read_digits(&r, 2, SHAPE);
    if (r.at != r.end)
        fail(&r, SHAPE);
    if (!r.wrong && year < 1)
        fail(&r, "the year 0000 is before the calendar");
    if (!r.wrong && next != (year + 1) % 100)
        fail(&r, "the second is not the year after the first");
    if (r.wrong)
        return unreadable(&r, s, len, "an academic year such as 2024/25", err);
    *out = year;
    return OK;
}

/* -- writing --------------------------------------------------------------------------------- */

/* Write the last `digits` digits of `value`, which is not negative. */
static char *put(char *out, int64_t value, int digits)
{
    for (int i = digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + digits;
}

const char *day_text(int32_t day, char *out)
{
    int year, month, mday;

    day_to_ymd(day, &year, &month, &mday);
    char *at = put(out, year < 0 ? 0 : year, 4);
    *at++ = '-';
    at = put(at, month, 2);
    *at++ = '-';
    *put(at, mday, 2) = '\0';
    return out;
}

const char *time_text(int64_t t, char *out)
{
    if (t < TIME_MIN)
        t = TIME_MIN;
    if (t > TIME_MAX)
        t = TIME_MAX;
    int64_t day = t / US_PER_DAY - (t % US_PER_DAY < 0);
    int64_t us = t - day * US_PER_DAY;
    day_text((int32_t)day, out);
    char *at = out + DAY_TEXT - 1;
    *at++ = 'T';
    at = put(at, us / US_PER_S / 3600, 2);
    *at++ = ':';
    at = put(at, us / US_PER_S / 60 % 60, 2);
    *at++ = ':';
    at = put(at, us / US_PER_S % 60, 2);
    *at++ = '.';
    at = put(at, us % US_PER_S, 6);
    *at++ = 'Z';
    *at = '\0';
    return out;
}

const char *moment_text(int64_t t, char *out)
{
    int32_t day = london_day(t);

    if (london_midnight(day) == t)
        return day_text(day, out);
    time_text(t, out);
    if (t % US_PER_S == 0)
        strcpy(out + sizeof("2026-11-21T09:30:00") - 1, "Z");
    return out;
}

const char *year_text(int year, char *out)
{
    int first = year < 0 ? 0 : year;
    char *at = put(out, first, 4);

    *at++ = '/';
    *put(at, first + 1, 2) = '\0';
    return out;
}
