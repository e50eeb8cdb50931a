/* story.c - see story.h. A year has two halves: what schools live through, then the groups. */
#include "story.h"

#include <stdlib.h>

#include "base/civil.h"
#include "life.h"
#include "scenes.h"
#include "terms.h"

#define FEWEST 3 /* fewer do not make a group */

struct list {
    struct school **schools; /* room for all of the cast */
    int count;
};

static void shuffle(struct telling *t, struct list *l)
{
    for (int i = l->count - 1; i > 0; i--) {
        int j = dice_roll(&t->dice, i + 1);
        struct school *other = l->schools[i];
        l->schools[i] = l->schools[j];
        l->schools[j] = other;
    }
}

/* Would this school join a group of that kind this year? */
static bool would_join(struct telling *t, const struct school *s, enum kind kind, int year)
{
    int luck = dice_roll(&t->dice, 100);

    switch (kind) {
    case SUSTAINING:
        return s->stage == REFINING ? luck < 78
               : s->stage == BUILT  ? luck < 85
               : s->stage == DEVELOPED && s->entered >= 2015 && s->entered <= 2018
                   ? luck < 20
                   : s->has_specialist && luck < 50;
    case EMBEDDING:
        if (s->stage == DEVELOPED && s->entered == year - 1 && !s->complete)
            return year == t->last_year || luck < 25; /* out of order */
        return s->stage == DEVELOPED ? luck < 70 : s->stage == BUILT && luck < 25;
    case DEVELOPMENT:
        return s->stage == READY || (s->stage == WAITING && s->care >= 55);
    case READINESS:
        return s->stage == READYING || (s->stage == WAITING && s->care < 80);
    }
    return false;
}

static void candidates(struct telling *t, struct list *l, const char *hub, enum kind kind, int year)
{
    int32_t start = year_first_day(year);

    l->count = 0;
    for (int i = 0; i < t->cast->count; i++) {
        struct school *s = &t->cast->schools[i];
        if (s->hub == hub && s->last_year != year && school_on(s, start - 60) &&
            would_join(t, s, kind, year))
            l->schools[l->count++] = s;
    }
    shuffle(t, l);
}

/* Those that come from readiness have the first places. */
static void ready_first(struct list *l)
{
    int front = 0;

    for (int i = 0; i < l->count; i++) {
        struct school *s = l->schools[i];
        if (s->stage != READY)
            continue;
        l->schools[i] = l->schools[front];
        l->schools[front++] = s;
    }
}

/* Deal the first `places` of the list into groups of about `size`. */
static void form_groups(struct telling *t, const struct list *l, const char *hub, enum kind kind,
                        int year, int places, int size)
{
    int left = l->count < places ? l->count : places;
    int next = 0;

    for (int number = 0; left >= FEWEST; number++) {
        struct group g = { .kind = kind, .hub = hub, .year = year, .number = number };
        int take = left < size + FEWEST ? left : size + dice_roll(&t->dice, 2);
        if (take > MEMBERS_MAX)
            take = MEMBERS_MAX;
        for (g.count = 0; g.count < take; g.count++)
            g.members[g.count].school = l->schools[next++];
        left -= take;
        group_year(t, &g);
    }
}

static int hub_size(const struct telling *t, const char *hub)
{
    int size = 0;

    for (int i = 0; i < t->cast->count; i++)
        size += t->cast->schools[i].hub == hub;
    return size;
}

/* Small hubs begin with new schools only now and then, so that there are some left today. */
static void newcomers(struct telling *t, struct list *l, const char *hub, int year)
{
    int size = hub_size(t, hub);
    int ago = t->last_year - year;

    if (size >= 200 || (size < 60 ? ago % 3 == 0 : ago % 3 != 2)) {
        int places = dice_between(&t->dice, 6, 7);
        candidates(t, l, hub, DEVELOPMENT, year);
        ready_first(l);
        form_groups(t, l, hub, DEVELOPMENT, year, places * (1 + size / 150), places);
    }
    if (size >= 200 || ago % 2 == 0) {
        candidates(t, l, hub, READINESS, year);
        form_groups(t, l, hub, READINESS, year, 4 + size / 100, 8);
    }
}

static void hub_year(struct telling *t, struct list *l, const char *hub, int year)
{
    if (year > t->first_year) {
        candidates(t, l, hub, SUSTAINING, year);
        form_groups(t, l, hub, SUSTAINING, year, l->count, 6);
        candidates(t, l, hub, EMBEDDING, year);
        form_groups(t, l, hub, EMBEDDING, year, l->count, 6);
    }
    newcomers(t, l, hub, year);
}

static void begin(struct telling *t, bool with_registrations)
{
    for (int i = 0; i < t->cast->count; i++) {
        struct school *s = &t->cast->schools[i];
        s->care = dice_between(&t->dice, 40, 99);
        if (with_registrations)
            life_register(t, s);
        else
            life_reopen(t, s);
        life_before(t, s);
    }
}

void story_tell(struct telling *t, bool with_registrations)
{
    struct list l = { 0 };

    l.schools = calloc((size_t)t->cast->count, sizeof(struct school *));
    if (!l.schools) {
        t->tape->failed = true;
        return;
    }
    begin(t, with_registrations);
    for (int year = t->first_year; year <= t->last_year; year++) {
        for (uint32_t h = 0; h < t->cast->codes.count; h++)
            hub_year(t, &l, t->cast->codes.items[h].key, year);
        for (int i = 0; i < t->cast->count; i++)
            life_year(t, &t->cast->schools[i], year);
    }
    free(l.schools);
}
