/* csv_internal.h - what csv_mapping.c (which column is what) and csv_events.c (rows) share. */
#ifndef PATHWAY_ENGINE_CSV_INTERNAL_H
#define PATHWAY_ENGINE_CSV_INTERNAL_H

#include "base/csvfile.h"
#include "engine/csv_events.h"

#define PLACES_MAX 64

/* Where a part of the event comes from. */
struct csv_place {
    const char *target;       /* "subject", "time", "id", "sequence", or a field of the data */
    const struct type *type;  /* of a field; else NULL */
    const char *column;       /* NULL: fixed */
    const char *value;        /* fixed */
    const struct json *words; /* NULL: none */
    int at;                   /* of the column in this file */
};

struct csv_plan {
    const struct event_type *type;
    const char *source;
    struct csv_place places[PLACES_MAX];
    int count;
};

/* What a mapping says, or the names of the header's columns; and where the columns are. */
MUST_CHECK enum err_code csv_plan_make(struct csv_plan *out, const struct csv_events *c,
                                       struct arena *arena, const struct csv_row *header,
                                       struct err *err);

#endif
