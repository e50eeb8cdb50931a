/*
 * tape.h - the invented events, in the order in which they would arrive.
 *
 * Each event has the moment it happened and the moment it is told; it is
 * written out by the second, so that late events come late. What would be told
 * after the tape's end is left out. A failed allocation is kept and reported by
 * tape_write(), so that the story need not check every sentence.
 */
#ifndef PATHWAY_TAPE_H
#define PATHWAY_TAPE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"

struct tape_event {
    int64_t at;      /* when it happened */
    int64_t told;    /* when somebody writes it down */
    uint32_t number; /* in order of invention; part of its id */
    bool has_sequence;
    const char *hub;  /* borrowed: the code of the hub that tells it */
    const char *type; /* borrowed */
    const char *subject;
    const char *data; /* a JSON object */
};

struct tape {
    struct arena arena;
    struct tape_event *events; /* owned */
    uint32_t count, cap;
    int64_t end; /* nothing is told at or after this instant */
    bool failed;
};

#define TAPE_NONE UINT32_MAX /* an event that is not on the tape */

void tape_init(struct tape *t, int64_t end);
void tape_fini(struct tape *t);

/* Add an event; `data` is a format that gives a JSON object. Its place, or TAPE_NONE. */
uint32_t tape_add(struct tape *t, const char *hub, int64_t at, int64_t told, const char *type,
                  const char *subject, const char *data, ...) PRINTF_LIKE(7, 8);
uint32_t tape_vadd(struct tape *t, const char *hub, int64_t at, int64_t told, const char *type,
                   const char *subject, const char *data, va_list args);
/* Take back an event that is on the tape. The void's place, or TAPE_NONE. */
uint32_t tape_void(struct tape *t, uint32_t place, int64_t at, const char *reason);
/* Give the event its place among those of the same instant. */
void tape_sequence(struct tape *t, uint32_t place);

/* Write all of it as NDJSON. ERR_IO: the file would not take it; ERR_LIMIT: no memory. */
MUST_CHECK enum err_code tape_write(struct tape *t, FILE *out, struct err *err);

#endif
