/*
 * batch.h - the rows of one commit, between the thread that makes them and the one that writes
 * them.
 *
 * A store collects what a transaction appends in a batch; store_commit() has it written, by the
 * same thread or by the writer's. Until it is durable its rows are the end of the log for whoever
 * reads through the store that made it: once sealed it is not changed any more, so both threads may
 * read it.
 */
#ifndef PATHWAY_STORE_BATCH_H
#define PATHWAY_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"

struct store;

/* An array that keeps its memory when the batch is used again. */
struct rows {
    void *items; /* owned */
    size_t count, cap;
};

struct name_row {
    int kind; /* enum dict_kind */
    int64_t id;
    const char *text; /* the dictionary's, which outlives the batch */
};
struct event_row {
    int64_t seq, time, recorded;
    int64_t source, type, subject;                      /* ids */
    const char *id, *sequence, *actor, *body, *touches; /* touches: see touch.h */
    uint32_t body_len;
};
struct void_row {
    int64_t seq;
    const char *source, *id;
};
struct succession_row {
    int64_t seq, predecessor, successor;
};
struct note_row {
    int64_t seq;
    const char *path, *text;
};
struct change_row {
    int64_t seq, recorded, generation, subject, decision;
    const char *old_value, *new_value, *hub, *cause;
};

/* What is derived of a subject. A part that is not there stays as it is in the table. */
struct subject_row {
    int64_t id, head, due;
    bool has_card, has_decisions, has_causes;
    int64_t layout;
    const char *name, *hub, *former, *decisions, *causes;
};

struct commit_row {
    int64_t number; /* 0: none in this batch */
    int64_t first, last, recorded, generation;
    const char *judged;
};
struct generation_file {
    const char *path, *text;
    uint32_t len;
};
struct generation_row {
    int64_t number, since;
    const char *digest;
    const struct generation_file *files;
    int count;
};
struct run_row { /* hashes and numbers of events, sorted; see keys.c */
    int64_t first, last;
    const uint64_t *keys;
    size_t count;
};
struct meta_row {
    const char *key, *text; /* NULL text: it goes */
};
/* The tables of what is derived are those of this commit; not `is_whole`: some rows are newer. */
struct watermark {
    int64_t commit, seq, feed;
    bool is_whole;
};

struct batch {
    struct arena arena; /* texts */
    struct rows names, events, voids, successions, notes, changes, subjects, runs, metas;
    struct commit_row commit;
    const struct generation_row *generation; /* NULL: none */
    bool has_watermark;
    struct watermark watermark;
    int64_t ticket;           /* 1, 2, 3 ... in the order of being handed over */
    struct batch *next;       /* the store's */
    const struct batch *then; /* the next one to be written in the same transaction */
};

struct batch *batch_new(void); /* NULL: no memory */
void batch_reset(struct batch *b);
void batch_free(struct batch *b); /* NULL allowed */
bool batch_is_empty(const struct batch *b);

/* Room for one more row, zeroed; NULL: no memory. Earlier pointers into `rows` are gone. */
void *rows_add(struct rows *rows, size_t size);

/* Write all rows of these batches, linked by `then`, in one transaction of `to`: durable when it
 * returns OK. */
MUST_CHECK enum err_code batch_write(struct store *to, const struct batch *batches,
                                     struct err *err);

#endif
