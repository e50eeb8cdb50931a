/*
 * cast.h - the schools of the story: out of a register, or invented.
 *
 * An establishment is a row of the register, with a URN of its own. A school is what people mean
 * by the word: one establishment, or several that continue each other (an academy and the school
 * that it was).
 */
#ifndef PATHWAY_CAST_H
#define PATHWAY_CAST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/strmap.h"

#define DAY_FIRST INT32_MIN
#define DAY_LAST  INT32_MAX

struct establishment {
    const char *subject; /* "school/100001" */
    const char *urn;
    const char *hub;
    const char *phase;          /* education_phase */
    int32_t opens;              /* DAY_FIRST: long ago, or nobody knows */
    int32_t closes;             /* the last day; DAY_LAST: still open */
    bool takes_part;            /* a mainstream school with primary pupils, in a known hub */
    bool continues;             /* it is the `next` of another */
    struct establishment *next; /* the one that goes on with this school's story, or NULL */
    struct establishment *heir; /* a school that stood already, which this one was merged into */
};

/* What the story knows of a school while it is told. */
struct school {
    struct establishment *first;
    const char *hub;
    enum { WAITING, READYING, READY, DEVELOPED, BUILT, REFINING } stage;
    int care;         /* 40 to 99: how often it does what is asked, in percent */
    int next_teacher; /* the number of the next person */
    int leads[2];     /* the lead participants; 0 is nobody */
    int entered;      /* the year of its development group; 0 is none */
    int last_year;    /* the last year in which it was in any group */
    bool committed;
    bool has_specialist;
    bool complete; /* as far as the hub knows */
};

struct cast {
    struct arena arena;
    struct strmap by_urn;   /* to struct establishment */
    struct strmap hubs;     /* LA code or URN to a hub's code */
    struct strmap codes;    /* the hubs' codes, each once */
    struct school *schools; /* owned; by hub, then as in the register */
    int count;
};

/* Read a register with its hubs; `links` may be NULL. */
MUST_CHECK enum err_code cast_read(struct cast *c, const char *registry, const char *hubs,
                                   const char *links, struct err *err);
/* Invent `count` schools, `hub_size` to a hub; some become academies from `year` on. */
MUST_CHECK enum err_code cast_invent(struct cast *c, int count, int hub_size, int year,
                                     struct err *err);
void cast_fini(struct cast *c);

/* The establishment that the school is on that day; NULL before its first and after its last. */
const struct establishment *school_on(const struct school *s, int32_t day);

#endif
