/*
 * json_pieces.h - an array of which some items hold what json.h does not take, cut up, so that the
 * others need not go with them: each piece is then parsed for itself.
 */
#ifndef PATHWAY_JSON_PIECES_H
#define PATHWAY_JSON_PIECES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct json_piece {
    const char *bytes; /* of the array's text: borrowed */
    size_t len;
    int line, column; /* where it begins, from 1 */
};

/*
 * The items of an array that is JSON by RFC 8259, whatever numbers, names and levels it has.
 * ERR_INPUT: it is none, or no array; *err is left alone. ERR_LIMIT: no memory.
 */
MUST_CHECK enum err_code json_pieces(struct json_piece **out, size_t *count, struct arena *arena,
                                     const char *bytes, size_t len, struct err *err);

/* What json_parse() said of a piece, "line 1, column 7 ...", as it is seen from the whole text. */
void json_piece_place(struct err *err, const struct json_piece *piece, const char *whole);

#endif
