/*
 * pieces.h - a text about many subjects, written by as many threads as are good for it: a piece for
 * each subject.
 */
#ifndef PATHWAY_PIECES_H
#define PATHWAY_PIECES_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/crowd.h"
#include "engine/world.h"
#include "lua/rulebook.h"

/* What one thread has to write with. */
struct writer {
    struct rulebook *rules;
    struct arena arena; /* emptied before each subject */
    struct buf out;     /* the piece is what is appended */
};

struct pieces;

/* How many subjects a log of so many events is about, at most: of a small one a second thread is
 * not worth its start. */
static inline size_t pieces_expected(int64_t events)
{
    return (size_t)events / 8;
}

/* Append what there is to say about a subject; nothing: its piece is empty. `arg` is shared: only
 * read it. */
typedef enum err_code piece_fn(struct writer *w, const char *subject, void *arg, struct err *err);

/* `rules` are the calling thread's, and are used by one of the writers; those of another one are
 * loaded meanwhile. `expected`: about so many subjects will come. *out is for pieces_free(), before
 * the rules go. */
MUST_CHECK enum err_code pieces_new(struct pieces **out, struct rulebook *rules, size_t expected,
                                    struct err *err);
/* NULL allowed. */
void pieces_free(struct pieces *p);

/* Write the pieces of these subjects of a world that is loaded whole; those of the last time are
 * gone. */
MUST_CHECK enum err_code pieces_write(struct pieces *p, struct world *w,
                                      const char *const *subjects, size_t count, piece_fn *fn,
                                      void *arg, struct err *err);
/* Piece number `index`, until the next pieces_write(). */
const char *pieces_at(const struct pieces *p, size_t index, size_t *len);

#endif
