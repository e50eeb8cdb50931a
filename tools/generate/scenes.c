/* scenes.c - see scenes.h. What each alert needs is done by the first members of a group, so that
 * it is there for every seed. */
#include "scenes.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "terms.h"

#define GROUP_TEXT 64

static const char *const KIND[] = { "readiness", "development", "embedding", "sustaining" };
static const char *const SHORT[] = { "read", "dev", "emb", "sus" };
static const char *const AREAS[] = { "vision_and_culture", "mathematical_mindsets",
                                     "subject_expertise", "school_systems",
                                     "arithmetical_proficiency" };
static const char *const FOCUSES[] = { "systems_and_culture", "subject_knowledge", "lesson_design",
                                       "leadership_support" };
static const char *const NOTES[] = { "Watched a year 4 lesson and planned the next one together.",
                                     "Met the head and both leads; release is agreed.",
                                     "Staff meeting on number facts, well attended.",
                                     "Looked at books across year groups with the maths lead." };

/* How often, in percent, a member of each kind is visited in a term or comes in touch. */
static const int VISITED[] = { 70, 96, 60, 35 };
static const int IN_TOUCH[] = { 30, 15, 40, 10 };

static const char *group_subject(const struct group *g, char out[GROUP_TEXT])
{
    snprintf(out, GROUP_TEXT, "group/h%s-%s-%d-%d", g->hub, SHORT[g->kind], g->year, g->number);
    return out;
}

static int32_t some_day(struct telling *t, struct span s)
{
    return dice_between(&t->dice, s.first, s.last > s.first ? s.last : s.first);
}

static void form(struct telling *t, struct group *g)
{
    char subject[GROUP_TEXT], year[YEAR_TEXT];
    int64_t at = working_hour(t, year_first_day(g->year) - dice_between(&t->dice, 40, 80));

    tape_add(t->tape, g->hub, at, told_after(t, at), "group.formed", group_subject(g, subject),
             "{\"kind\":\"%s\",\"hub\":\"%s\",\"academic_year\":\"%s\",\"lead\":\"p-h%s-%d\"}",
             KIND[g->kind], g->hub, year_text(g->year, year), g->hub, 1 + g->number);
}

static void join(struct telling *t, const struct group *g, const struct member *m)
{
    char subject[GROUP_TEXT], year[YEAR_TEXT];
    int32_t day = year_first_day(g->year) + dice_between(&t->dice, -35, 18);

    /* A school that opens this September can not have joined in the summer. */
    if (!school_on(m->school, day))
        day = year_first_day(g->year) + 4;
    tell(t, m->school, day, "group.joined",
         "{\"group\":\"%s\",\"kind\":\"%s\",\"academic_year\":\"%s\"}", group_subject(g, subject),
         KIND[g->kind], year_text(g->year, year));
}

static void leave(struct telling *t, const struct group *g, struct member *m)
{
    char subject[GROUP_TEXT], year[YEAR_TEXT];

    m->leaves =
        some_day(t, (struct span){ half_term(g->year, 2).last, half_term(g->year, 5).first });
    tell(t, m->school, m->leaves, "group.left",
         "{\"group\":\"%s\",\"kind\":\"%s\",\"academic_year\":\"%s\",\"reason\":\"%s\"}",
         group_subject(g, subject), KIND[g->kind], year_text(g->year, year),
         "Staffing: nobody can be released this year.");
}

/* A lead moves on; mostly somebody else is found. */
static void turn_over(struct telling *t, struct school *s, int year)
{
    int32_t day = some_day(t, half_term(year, dice_between(&t->dice, 2, 5)));
    char teacher[PERSON_TEXT];
    int i = dice_roll(&t->dice, 2);

    if (s->leads[i] == 0)
        return;
    tell(t, s, day, "lead.stood_down", "{\"teacher\":\"%s\"}", person_key(s, s->leads[i], teacher));
    s->leads[i] = 0;
    if (dice_chance(&t->dice, 85))
        tell_leads(t, s, day + dice_between(&t->dice, 3, 40));
}

/* The lead_missing of today: one goes, nobody comes. */
static void lose_lead(struct telling *t, struct school *s, int year)
{
    char teacher[PERSON_TEXT];

    tell(t, s, half_term(year, 1).first + 20, "lead.stood_down", "{\"teacher\":\"%s\"}",
         person_key(s, s->leads[1], teacher));
    s->leads[1] = 0;
}

/* How many of its teachers a member sends to a meeting. */
static int teachers_sent(struct telling *t, const struct group *g, int member, int half_term_no)
{
    const struct school *s = g->members[member].school;
    int luck = dice_roll(&t->dice, 100);

    if (g->kind == DEVELOPMENT && member == 0 && g->year >= t->last_year - 1 && half_term_no == 1)
        return 1;
    if (g->kind == DEVELOPMENT && member == 0 && g->year == t->last_year - 1 && half_term_no == 3)
        return 0;
    if (g->kind == EMBEDDING && member == 0 && half_term_no > 1)
        return 0; /* out of contact */
    if (luck < s->care)
        return g->kind == SUSTAINING && luck % 2 ? 1 : 2;
    return luck % 4 == 0 ? 0 : 1;
}

/* Write one member's line of the attendance; true when it counts for two teachers. */
static bool attend(struct telling *t, struct buf *b, const struct group *g, int member,
                   int half_term_no, int32_t day)
{
    const struct school *s = g->members[member].school;
    const struct establishment *e = school_on(s, day);
    int sent = teachers_sent(t, g, member, half_term_no);
    char teacher[PERSON_TEXT];

    buf_printf(b, "%s\"%s\":[", b->len > 0 ? "," : "", e->subject);
    for (int i = 0; i < sent; i++) {
        int lead = s->leads[i];
        /* 90 and above are colleagues who stand in for a lead. */
        if (lead == 0 || dice_chance(&t->dice, 6))
            lead = 90 + i;
        buf_printf(b, "%s\"%s\"", i > 0 ? "," : "", person_key(s, lead, teacher));
    }
    buf_char(b, ']');
    return sent == 2;
}

/* In the last year one development school is forgotten in the first meeting's list. */
static bool is_listed(const struct telling *t, const struct group *g, int member, int half_term_no,
                      int32_t day)
{
    const struct member *m = &g->members[member];

    if (g->kind == DEVELOPMENT && g->year == t->last_year && half_term_no == 1 && member == 2)
        return false;
    return day < m->leaves && school_on(m->school, day);
}

static void meet(struct telling *t, struct group *g, int half_term_no)
{
    int32_t day = some_day(t, half_term(g->year, half_term_no));
    int64_t at = working_hour(t, day), told = told_after(t, at);
    char subject[GROUP_TEXT], year[YEAR_TEXT];
    struct buf who = { 0 };

    for (int i = 0; i < g->count; i++) {
        if (is_listed(t, g, i, half_term_no, day) && attend(t, &who, g, i, half_term_no, day))
            g->members[i].meetings++;
    }
    bool was_observed = dice_chance(&t->dice, g->kind == DEVELOPMENT ? 85 : 30);
    group_subject(g, subject);
    year_text(g->year, year);
    if (who.failed)
        t->tape->failed = true;
    for (int copies = dice_chance(&t->dice, 2) ? 2 : 1; copies > 0 && who.len > 0; copies--) {
        uint32_t place = tape_add(t->tape, g->hub, at, told, "group.met", subject,
                                  "{\"kind\":\"%s\",\"academic_year\":\"%s\",\"half_term\":%d,"
                                  "\"attendance\":{%s}%s}",
                                  KIND[g->kind], year, half_term_no, buf_cstr(&who),
                                  was_observed ? ",\"observation\":true" : "");
        if (copies == 2) { /* entered twice; the first is taken back */
            tape_void(t->tape, place, told + US_PER_DAY, "Entered twice.");
            told += US_PER_S;
        }
    }
    buf_fini(&who);
}

static uint32_t visit(struct telling *t, const struct group *g, const struct member *m, int number,
                      int delay_days)
{
    char subject[GROUP_TEXT], year[YEAR_TEXT], note[128] = "";
    struct span s = term(g->year, number);

    if (dice_chance(&t->dice, 30))
        snprintf(note, sizeof(note), ",\"note\":\"%s\"", NOTES[dice_roll(&t->dice, 4)]);
    s.first += 7;
    int32_t day = some_day(t, s);
    if (day >= m->leaves)
        return TAPE_NONE;
    group_subject(g, subject);
    year_text(g->year, year);
    if (delay_days > 0)
        return tell_late(t, m->school, day, delay_days, "school.visited",
                         "{\"group\":\"%s\",\"academic_year\":\"%s\",\"term\":%d,"
                         "\"by\":\"p-h%s-%d\"%s}",
                         subject, year, number, g->hub, 1 + g->number, note);
    return tell(t, m->school, day, "school.visited",
                "{\"group\":\"%s\",\"academic_year\":\"%s\",\"term\":%d,\"by\":\"p-h%s-%d\"%s}",
                subject, year, number, g->hub, 1 + g->number, note);
}

static void visits(struct telling *t, const struct group *g, struct member *m)
{
    bool is_forgotten = g->kind == DEVELOPMENT && g->year == t->last_year - 1 && m == g->members;

    for (int number = 1; number <= 3; number++) {
        if (g->kind == EMBEDDING && m == g->members)
            continue;
        if (!dice_chance(&t->dice, VISITED[g->kind]) || (is_forgotten && number == 2)) {
            if (g->kind == DEVELOPMENT && !is_forgotten && dice_chance(&t->dice, 50)) {
                visit(t, g, m, number, dice_between(&t->dice, 90, 220)); /* found in a drawer */
                m->visits++;
            }
            continue;
        }
        uint32_t place = visit(t, g, m, number, 0);
        m->visits++;
        if (place == TAPE_NONE || !dice_chance(&t->dice, 3))
            continue;
        int64_t later = t->tape->events[place].told + 9 * US_PER_DAY;
        place = tape_void(t->tape, place, later, "Entered for the wrong school.");
        if (dice_chance(&t->dice, 50))
            tape_void(t->tape, place, later + 5 * US_PER_DAY, "It was the right school.");
        else
            m->visits--;
    }
}

static void keep_in_touch(struct telling *t, const struct group *g, const struct member *m)
{
    char subject[GROUP_TEXT], year[YEAR_TEXT];

    if (g->kind == EMBEDDING && m == g->members)
        return;
    for (int i = 1; i <= HALF_TERMS; i++) {
        int32_t day = some_day(t, half_term(g->year, i));
        if (!dice_chance(&t->dice, IN_TOUCH[g->kind]) || day >= m->leaves)
            continue;
        tell(t, m->school, day, "contact.made",
             "{\"group\":\"%s\",\"academic_year\":\"%s\",\"note\":\"By telephone.\"}",
             group_subject(g, subject), year_text(g->year, year));
    }
}

static void work_on_focuses(struct telling *t, const struct group *g, const struct member *m)
{
    char subject[GROUP_TEXT], year[YEAR_TEXT];

    for (int i = 0; i < 4; i++) {
        int32_t day = some_day(t, half_term(g->year, 2 + i));
        if (dice_chance(&t->dice, 75) && day < m->leaves)
            tell(t, m->school, day, "focus.worked",
                 "{\"group\":\"%s\",\"academic_year\":\"%s\",\"focus\":\"%s\"}",
                 group_subject(g, subject), year_text(g->year, year), FOCUSES[i]);
    }
}

static void assess(struct telling *t, const struct school *s, int32_t day, int area,
                   const char *judgement)
{
    tell(t, s, day, "readiness.assessed",
         "{\"area\":\"%s\",\"judgement\":\"%s\",\"by\":\"p-h%s-9\"}", AREAS[area], judgement,
         s->hub);
}

/* Five areas, two or three of them weak, that grow secure during the year; mostly all of them. */
static void grow_ready(struct telling *t, const struct group *g, struct member *m)
{
    int32_t start = year_first_day(g->year);
    int weak = dice_roll(&t->dice, 5);
    bool all = dice_chance(&t->dice, 80);

    for (int i = 0; i < 5; i++) {
        bool is_weak = i == weak || dice_chance(&t->dice, 40);
        assess(t, m->school, start - dice_between(&t->dice, 20, 60), i,
               !is_weak                    ? "secure"
               : dice_chance(&t->dice, 50) ? "developing"
                                           : "not_yet");
        if (!is_weak)
            continue;
        if (dice_chance(&t->dice, 40))
            assess(t, m->school, some_day(t, half_term(g->year, 3)), i, "developing");
        if (all || i != weak)
            assess(t, m->school, some_day(t, half_term(g->year, dice_between(&t->dice, 5, 6))), i,
                   "secure");
    }
    m->school->stage = all ? READY : READYING;
}

/* What comes of the year, as far as the hub knows. */
static void conclude(const struct group *g, const struct member *m)
{
    struct school *s = m->school;

    s->last_year = g->year;
    if (g->kind == DEVELOPMENT) {
        s->stage = DEVELOPED;
        s->entered = g->year;
        s->complete = m->meetings >= 5 && m->visits >= 3;
    } else if (g->kind == EMBEDDING && s->complete && s->stage < BUILT) {
        s->stage = BUILT;
    } else if (g->kind == SUSTAINING) {
        s->stage = REFINING;
    }
}

void group_year(struct telling *t, struct group *g)
{
    int32_t start = year_first_day(g->year);

    form(t, g);
    for (int i = 0; i < g->count; i++) {
        struct member *m = &g->members[i];
        m->leaves = DAY_LAST;
        tell_commitment(t, m->school, start - dice_between(&t->dice, 40, 90));
        if (g->kind != READINESS)
            tell_leads(t, m->school, start - dice_between(&t->dice, 36, 60));
        join(t, g, m);
        if (g->kind == READINESS)
            grow_ready(t, g, m);
        if (i > 3 && dice_chance(&t->dice, 4))
            leave(t, g, m);
        if (i > 3 && dice_chance(&t->dice, 12))
            turn_over(t, m->school, g->year);
        if (i == 1 && g->kind == DEVELOPMENT && g->year == t->last_year)
            lose_lead(t, m->school, g->year);
        visits(t, g, m);
        keep_in_touch(t, g, m);
        if (g->kind == EMBEDDING)
            work_on_focuses(t, g, m);
    }
    for (int i = 1; i <= HALF_TERMS; i++) {
        bool all_closed = g->year == 2019 && i == 5; /* the summer of 2020 */
        if (!all_closed && !(g->number > 0 && dice_chance(&t->dice, 2)))
            meet(t, g, i);
    }
    for (int i = 0; i < g->count; i++)
        conclude(g, &g->members[i]);
}
