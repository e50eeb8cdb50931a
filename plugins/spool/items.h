/*
 * items.h - the events of a JSON file: one, or an array.
 *
 * Each keeps its own text, for the host to judge: a number that is out of range, or a name that
 * stands twice, is the fault of that event alone.
 */
#ifndef SPOOL_ITEMS_H
#define SPOOL_ITEMS_H

#include <stddef.h>

#include <jansson.h>

/* A new array of their texts, each on one line. NULL: the text is no JSON; `error` says where. */
json_t *items_read(const char *text, size_t len, char *error, size_t error_size);

#endif
