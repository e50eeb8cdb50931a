/* life.c - see life.h. */
#include "life.h"

#include <stdio.h>

#include "base/civil.h"
#include "terms.h"

/* The register as of today calls a school closed that was open for most of the story. */
void life_reopen(struct telling *t, const struct school *s)
{
    int32_t before = year_first_day(t->first_year) - 100;

    for (const struct establishment *e = s->first; e; e = e->next) {
        int64_t at = london_midnight(e->opens > before ? e->opens : before) + US_PER_S;
        if (e->closes != DAY_LAST && e->closes > before)
            tape_add(t->tape, s->hub, at, at, "school.changed", e->subject,
                     "{\"status\":\"open\"}");
    }
}

void life_register(struct telling *t, const struct school *s)
{
    int32_t before = year_first_day(t->first_year) - 100;

    for (const struct establishment *e = s->first; e; e = e->next) {
        int64_t at = london_midnight(e->opens > before ? e->opens : before);
        tape_add(t->tape, s->hub, at, at, "school.registered", e->subject,
                 "{\"name\":\"School %s\",\"hub\":\"%s\",\"education_phase\":\"%s\","
                 "\"status\":\"open\",\"pupils\":%d}",
                 e->urn, e->hub, e->phase, dice_between(&t->dice, 40, 620));
    }
}

static void record(struct telling *t, const struct school *s, int32_t day, const char *phase)
{
    tell(t, s, day, "phase.recorded", "{\"pathway_phase\":\"%s\"}", phase);
}

static void enter(struct telling *t, struct school *s, int32_t day, int year)
{
    char text[YEAR_TEXT];

    s->entered = year;
    tell(t, s, day, "programme.entered", "{\"academic_year\":\"%s\"}", year_text(year, text));
}

void life_before(struct telling *t, struct school *s)
{
    int32_t day = year_first_day(t->first_year) + dice_between(&t->dice, 3, 40);
    int luck = dice_roll(&t->dice, 100);

    if (luck < 4) {
        enter(t, s, day, t->first_year);
        record(t, s, day + 1, "development");
        s->stage = DEVELOPED;
    } else if (luck < 7) {
        enter(t, s, day, t->first_year);
        record(t, s, day + 1, "building");
        s->stage = BUILT;
    } else if (luck < 9) {
        record(t, s, day, "refinement");
        s->stage = REFINING;
    } else if (luck < 10) {
        record(t, s, day, "preparatory");
    }
}

/* Every third school that becomes an academy is still written to under its old number. */
static void succeed(struct telling *t, const struct school *s, const struct establishment *old,
                    const struct establishment *next, int32_t day)
{
    int64_t at = london_midnight(day);

    tape_add(t->tape, s->hub, at, told_after(t, at), "school.succeeded", next->subject,
             "{\"predecessor\":\"%s\"}", old->subject);
    if (t->successions++ % 3 != 0)
        return;
    at = working_hour(t, day + dice_between(&t->dice, 10, 60));
    tape_add(t->tape, s->hub, at, told_after(t, at), "lead.named", old->subject,
             "{\"teacher\":\"p-%s-80\"}", old->urn);
}

static void close_and_succeed(struct telling *t, const struct school *s, int32_t from, int32_t to)
{
    for (const struct establishment *e = s->first; e; e = e->next) {
        const struct establishment *next = e->next ? e->next : e->heir;
        if (e->closes < from || e->closes >= to)
            continue;
        if (e->closes - 150 > from)
            tell(t, s, e->closes - 120, "school.changed", "{\"status\":\"proposed_to_close\"}");
        int64_t at = london_midnight(e->closes) + 17 * 3600 * US_PER_S;
        tape_add(t->tape, s->hub, at, told_after(t, at), "school.closed", e->subject,
                 "{\"reason\":\"%s\"}", next ? "Continues under another number." : "Closed.");
        if (next)
            succeed(t, s, e, next, next == e->next ? next->opens : e->closes + 1);
    }
}

/* One in a hundred moves to the next hub, where there is one. */
static void change(struct telling *t, struct school *s, int32_t january)
{
    const struct strmap *codes = &t->cast->codes;

    if (dice_chance(&t->dice, 12))
        tell(t, s, january, "school.changed", "{\"pupils\":%d}", dice_between(&t->dice, 40, 620));
    if (codes->count < 2 || dice_roll(&t->dice, 1000) > 1)
        return;
    uint32_t i = 0;
    while (codes->items[i].key != s->hub)
        i++;
    const char *hub = codes->items[(i + 1) % codes->count].key;
    tell(t, s, january + 2, "school.changed", "{\"hub\":\"%s\"}", hub);
    s->hub = hub;
}

static void specialists(struct telling *t, struct school *s, int year, int32_t start)
{
    char person[PERSON_TEXT];

    person_key(s, 70, person);
    if (s->has_specialist && dice_chance(&t->dice, 10)) {
        tell(t, s, start + 300, "specialist.stood_down", "{\"person\":\"%s\"}", person);
        s->has_specialist = false;
    } else if (!s->has_specialist && s->care > 88 && dice_chance(&t->dice, 5)) {
        tell(t, s, start + 5, "specialist.appointed", "{\"person\":\"%s\",\"cohort\":%d}", person,
             year - 2014);
        s->has_specialist = true;
    }
}

static void waive(struct telling *t, const struct school *s, int32_t day, const char *rule,
                  const char *reason, int until_days)
{
    char until[64] = "", last[DAY_TEXT];

    if (until_days > 0)
        snprintf(until, sizeof(until), ",\"until\":\"%s\"", day_text(day + until_days, last));
    tell(t, s, day, "waiver.granted", "{\"rule\":\"%s\",\"reason\":\"%s\"%s,\"by\":\"p-h%s-9\"}",
         rule, reason, until, s->hub);
}

static void waivers(struct telling *t, struct school *s, int32_t start)
{
    if (s->stage == DEVELOPED && !s->complete && dice_chance(&t->dice, 30)) {
        waive(t, s, start - 20, "development_complete",
              "A meeting fell out through no fault of it.", 0);
        s->complete = true;
    }
    if (s->stage == WAITING && s->committed && dice_chance(&t->dice, 8)) {
        waive(t, s, start + 30, "two_leads", "A small school: one lead will do this year.", 240);
        if (dice_chance(&t->dice, 40))
            tell(t, s, start + 130, "waiver.ended",
                 "{\"rule\":\"two_leads\",\"reason\":\"A second lead is named.\"}");
    }
    if (s->stage == WAITING && dice_chance(&t->dice, 1))
        waive(t, s, start + 60, "ready", "The hub knows the school well.", 90);
}

/* Schools that only look on: they commit, name somebody, think again. */
static void look_on(struct telling *t, struct school *s, int32_t start)
{
    char teacher[PERSON_TEXT];

    if (s->stage != WAITING)
        return;
    if (!s->committed && dice_chance(&t->dice, 12)) {
        tell_commitment(t, s, start + dice_between(&t->dice, 10, 250));
        if (s->leads[0] == 0 && dice_chance(&t->dice, 60)) {
            s->leads[0] = ++s->next_teacher;
            tell(t, s, start + dice_between(&t->dice, 60, 280), "lead.named",
                 "{\"teacher\":\"%s\"}", person_key(s, s->leads[0], teacher));
        }
    } else if (s->committed && dice_chance(&t->dice, 6)) {
        tell(t, s, start + dice_between(&t->dice, 60, 280), "commitment.withdrawn", "{}");
        s->committed = false;
    }
}

void life_year(struct telling *t, struct school *s, int year)
{
    int32_t start = year_first_day(year);

    close_and_succeed(t, s, start, year_first_day(year + 1));
    change(t, s, half_term(year, 3).first + dice_between(&t->dice, 0, 20));
    specialists(t, s, year, start);
    waivers(t, s, start);
    look_on(t, s, start);
    if (year > t->first_year && s->stage == WAITING && dice_roll(&t->dice, 300) == 0) {
        tell(t, s, start + 50, "programme.entered", "{}"); /* in an unusual way */
        record(t, s, start + 51, "development");
        s->stage = DEVELOPED;
        s->entered = year;
    }
}
