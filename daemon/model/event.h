/*
 * event.h - from the bytes of a CloudEvent to a valid event, or why not.
 *
 * CloudEvents 1.0, JSON format, with what pathwayd requires beyond it: subject,
 * time, data as an object, and a type that a pack declares.
 */
#ifndef PATHWAY_EVENT_H
#define PATHWAY_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/json.h"
#include "base/strmap.h"
#include "model/subject.h"
#include "model/type.h"

#define EVENT_MAX_BYTES (256 * 1024)
#define EVENT_MAX_DEPTH 64
/* The two types that the engine itself knows; all others are the packs'. The second's field
 * `predecessor` is a school that its subject continues. */
#define EVENT_VOIDED    "event.voided"
#define EVENT_SUCCEEDED "school.succeeded"

/* What a pack declares about a type of event. */
struct event_type {
    const char *name;             /* "lead.named" */
    const char *title;            /* for people */
    bool subjects[SUBJECT_KINDS]; /* which kinds it may be about */
    const struct type *data;      /* a TYPE_ROW */
    const char *declared_at;      /* "rules/national/events.lua:12" */
    const char *advice; /* what a school or hub does to bring it about; NULL: they can not */
};

/* All known types; read-only while in use. Every catalog holds event.voided. */
struct catalog {
    struct strmap types; /* name to struct event_type */
};
/* Zeroed to valid: adds event.voided, about any kind of subject. ERR_LIMIT: no memory. */
MUST_CHECK enum err_code catalog_init(struct catalog *c, struct err *err);
/* `type` is borrowed. ERR_CONFLICT: the name is taken (the message names both places). */
MUST_CHECK enum err_code catalog_add(struct catalog *c, const struct event_type *type,
                                     struct err *err);
const struct event_type *catalog_find(const struct catalog *c, const char *name);
/* "; did you mean ...", into `out`, which is returned; "" where no name is near. */
const char *catalog_hint(char *out, size_t size, const struct catalog *catalog, const char *type);
void catalog_fini(struct catalog *c);

/* Free text taken out of an event: it is stored beside the log, never in it. */
struct event_note {
    const char *path; /* "data.reason" */
    const char *text;
    uint32_t len;
    const struct event_note *next;
};

/* A valid event. All memory is the arena's. */
struct event {
    int64_t time;         /* when it happened, us; digits beyond the microsecond dropped */
    const char *sequence; /* NULL when absent, which orders before every other */
    const char *source;
    const char *id;
    const char *type;
    const char *subject;
    const struct event_type *schema; /* borrowed from the catalog */
    const struct json *data;         /* as submitted: notes are still in it */
    const char *body; /* canonical JSON of the whole event: members that are null left out, each
                         note replaced by its keyed digest */
    uint32_t body_len;
    const struct event_note *notes;
    const char *const *touches; /* its subject first, then each other school and group that its
                                   fields hold, once */
    uint32_t touch_count;
};

/*
 * Check one parsed event. `note_key` is the database's secret: equal text in
 * the same place of the same event gives the same digest, so that an event sent
 * again is a duplicate even after its note was erased. ERR_INPUT: the message names
 * the field, what was found, what was expected and the nearest known name. ERR_LIMIT: more than
 * EVENT_MAX_BYTES in canonical form, notes included.
 */
MUST_CHECK enum err_code event_read(struct event *out, struct arena *arena, const struct json *json,
                                    const struct catalog *catalog,
                                    const uint8_t note_key[DIGEST_BYTES], struct err *err);

/* What orders events: (time, sequence, source, id). */
struct event_key {
    int64_t time;
    const char *sequence; /* NULL allowed */
    const char *source;
    const char *id;
};
/* Below, equal to or above 0 as strcmp(). Texts compare bytewise; an absent sequence stands
 * first. */
int event_key_compare(const struct event_key *a, const struct event_key *b);

#endif
