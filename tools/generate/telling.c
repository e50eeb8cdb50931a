/* telling.c - see telling.h. */
#include "telling.h"

#include <stdio.h>

#include "base/civil.h"

#define US_PER_MINUTE (60 * US_PER_S)

int64_t working_hour(struct telling *t, int32_t day)
{
    int weekday = (int)((day + 3) % 7); /* Monday is 0; the first of January 1970 was a Thursday */

    if (weekday > 4)
        day += 7 - weekday;
    return london_midnight(day) + dice_between(&t->dice, 8 * 60, 17 * 60) * US_PER_MINUTE;
}

int64_t told_after(struct telling *t, int64_t at)
{
    int luck = dice_roll(&t->dice, 100);
    int days = luck < 70 ? 2 : luck < 95 ? 12 : luck < 98 ? 60 : 200;

    if (year_at(at) >= t->last_year)
        days = 3;
    return at + dice_roll(&t->dice, days * 24 * 60) * US_PER_MINUTE;
}

uint32_t tell(struct telling *t, const struct school *s, int32_t day, const char *type,
              const char *data, ...)
{
    const struct establishment *e = school_on(s, day);
    va_list args;

    if (!e)
        return TAPE_NONE;
    int64_t at = working_hour(t, day);
    va_start(args, data);
    uint32_t place =
        tape_vadd(t->tape, s->hub, at, told_after(t, at), type, e->subject, data, args);
    va_end(args);
    return place;
}

uint32_t tell_late(struct telling *t, const struct school *s, int32_t day, int delay_days,
                   const char *type, const char *data, ...)
{
    const struct establishment *e = school_on(s, day);
    va_list args;

    if (!e)
        return TAPE_NONE;
    int64_t at = working_hour(t, day);
    va_start(args, data);
    uint32_t place =
        tape_vadd(t->tape, s->hub, at, at + delay_days * US_PER_DAY, type, e->subject, data, args);
    va_end(args);
    return place;
}

const char *person_key(const struct school *s, int number, char out[PERSON_TEXT])
{
    snprintf(out, PERSON_TEXT, "p-%s-%d", s->first->urn, number);
    return out;
}

void tell_commitment(struct telling *t, struct school *s, int32_t day)
{
    char head[PERSON_TEXT];

    if (s->committed)
        return;
    s->committed = true;
    tell(t, s, day, "commitment.given", "{\"by\":\"%s\"}", person_key(s, 0, head));
}

/* Both at once stand in one letter: one instant, told apart by their sequence. */
void tell_leads(struct telling *t, struct school *s, int32_t day)
{
    const struct establishment *e = school_on(s, day);
    int64_t at = working_hour(t, day), told = told_after(t, at);
    char teacher[PERSON_TEXT];

    for (int i = 0; i < 2 && e; i++) {
        if (s->leads[i] != 0)
            continue;
        s->leads[i] = ++s->next_teacher;
        tape_sequence(t->tape,
                      tape_add(t->tape, s->hub, at, told, "lead.named", e->subject,
                               "{\"teacher\":\"%s\"}", person_key(s, s->leads[i], teacher)));
    }
}
