/* terms.c - see terms.h. The table holds the dates of data/terms_england_typical.csv. */
#include "terms.h"

#include "base/civil.h"

#define FIRST_YEAR 2015
#define YEARS      12

/* Month * 100 + day: the first and the last teaching day of each half term. */
static const int16_t TYPICAL[YEARS][2 * HALF_TERMS] = {
    { 901, 1023, 1102, 1218, 104, 212, 222, 324, 411, 527, 606, 719 }, /* 2015/16 */
    { 901, 1021, 1031, 1220, 103, 210, 220, 331, 418, 526, 605, 718 }, /* 2016/17 */
    { 901, 1020, 1030, 1222, 108, 209, 219, 329, 416, 525, 604, 724 }, /* 2017/18 */
    { 903, 1019, 1029, 1221, 107, 215, 225, 405, 423, 524, 603, 723 }, /* 2018/19 */
    { 902, 1025, 1104, 1220, 106, 214, 224, 403, 420, 522, 601, 721 }, /* 2019/20 */
    { 901, 1023, 1102, 1218, 104, 212, 222, 401, 419, 528, 607, 720 }, /* 2020/21 */
    { 901, 1022, 1101, 1217, 103, 211, 221, 401, 419, 527, 606, 719 }, /* 2021/22 */
    { 901, 1021, 1031, 1220, 103, 210, 220, 331, 417, 526, 605, 718 }, /* 2022/23 */
    { 901, 1020, 1030, 1222, 108, 209, 219, 328, 415, 524, 603, 723 }, /* 2023/24 */
    { 902, 1025, 1104, 1220, 106, 214, 224, 404, 422, 523, 602, 722 }, /* 2024/25 */
    { 901, 1024, 1103, 1219, 105, 213, 223, 327, 413, 522, 601, 721 }, /* 2025/26 */
    { 901, 1023, 1102, 1218, 104, 212, 222, 325, 412, 528, 607, 720 }, /* 2026/27 */
};

/* Years outside the table. */
static const int16_t OTHERWISE[2 * HALF_TERMS] = { 901, 1021, 1101, 1218, 104, 212,
                                                   222, 328,  415,  524,  603, 720 };

static int32_t day_in(int year, int month_day)
{
    int month = month_day / 100;

    return day_from_ymd(month >= 9 ? year : year + 1, month, month_day % 100);
}

struct span half_term(int year, int number)
{
    const int16_t *dates = OTHERWISE;

    if (year >= FIRST_YEAR && year < FIRST_YEAR + YEARS)
        dates = TYPICAL[year - FIRST_YEAR];
    dates += 2 * (number - 1);
    return (struct span){ day_in(year, dates[0]), day_in(year, dates[1]) };
}

struct span term(int year, int number)
{
    return (struct span){ half_term(year, 2 * number - 1).first, half_term(year, 2 * number).last };
}

int32_t year_first_day(int year)
{
    return day_from_ymd(year, 9, 1);
}
