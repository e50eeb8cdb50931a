/*
 * csv_events.h - a table of people's to events, row by row, as a mapping says.
 *
 * A mapping is a JSON object:
 *   {"type": "lead.named", "source": "urn:hub:07:leads",
 *    "subject": "URN", "time": "Date", "data": {"teacher": "Key", "role": {"value": "maths lead"}}}
 * A place is the name of a column, or an object: "column" or a fixed "value", "words" {cell: value}
 * for what people write otherwise. Without a mapping, columns are taken by their names: `subject`
 * or `urn`, `time` or `date`, `id`, and the fields of the type.
 *
 * A cell becomes what the type of its field wants: numbers, yes and no, lists (set off by ;), dates
 * as 31/12/2025 too, schools by their number, choices whatever their case. Empty cells are left
 * out. An event without an id column has one made from its content, so that the same row gives the
 * same event.
 */
#ifndef PATHWAY_ENGINE_CSV_EVENTS_H
#define PATHWAY_ENGINE_CSV_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "model/event.h"

struct csv_events {
    const char *name;           /* of the file, for messages */
    const char *type;           /* NULL: the mapping says */
    const struct json *mapping; /* NULL: by names */
    const struct catalog *catalog;
    /* A row (from 1, the header not counted; it begins at `line`) that is an event: its JSON. */
    void (*event)(int64_t row, int64_t line, const char *json, size_t len, void *arg);
    /* One that is none, by its column (NULL: of no column) and why. */
    void (*error)(int64_t row, int64_t line, const char *column, const char *detail, void *arg);
    /* A column that nothing is taken from. NULL allowed. */
    void (*unused)(const char *column, void *arg);
    void *arg;
};

/* ERR_INPUT: the mapping or the header is wrong, or it is no CSV; ERR_ABSENT: there is no such
 * type. */
MUST_CHECK enum err_code csv_events_read(const struct csv_events *c, const char *bytes, size_t len,
                                         struct err *err);

#endif
