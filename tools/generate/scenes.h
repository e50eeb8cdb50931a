/*
 * scenes.h - a year of a work group: who meets, who comes, who is visited.
 */
#ifndef PATHWAY_SCENES_H
#define PATHWAY_SCENES_H

#include "telling.h"

enum kind { READINESS, DEVELOPMENT, EMBEDDING, SUSTAINING };
#define MEMBERS_MAX 12

struct member {
    struct school *school;
    int32_t leaves; /* the first day on which it is not with the group any more */
    int meetings;   /* half terms at which two of its teachers were */
    int visits;     /* terms in which it was visited, as far as the hub knows */
};

struct group {
    enum kind kind;
    const char *hub;
    int year;
    int number; /* 0, 1, ... among those of this hub, kind and year */
    struct member members[MEMBERS_MAX];
    int count;
};

/* Tell the group's whole year. Afterwards its members hold what came of it. */
void group_year(struct telling *t, struct group *g);

#endif
