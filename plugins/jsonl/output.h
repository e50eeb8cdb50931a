/*
 * output.h - the file that grows, and the older ones beside it. All of it blocks.
 *
 * A file holds whole lines, each an entry with its id and "seq":N in it. What a crash cut off is
 * taken away when it is opened, and the last line says where to go on: so every entry is in the
 * files once, in order.
 */
#ifndef JSONL_OUTPUT_H
#define JSONL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct output {
    char *path; /* owned */
    int fd;     /* -1: not open */
    int64_t size;
    int64_t max_size; /* a file that has become larger is put aside */
    int keep;         /* how many older ones stay */
};

/* The entry that the files end with. */
struct last_entry {
    int64_t seq; /* 0: there is none */
    char id[64]; /* "" where it is not known */
};

bool output_open(struct output *o, struct last_entry *last, char *error, size_t size);
/* Whole lines. *seq: the number of the last one that is on disk, also when it fails. */
bool output_write(struct output *o, const char *bytes, size_t len, int64_t *seq, char *error,
                  size_t size);
void output_close(struct output *o);

#endif
