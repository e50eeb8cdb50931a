/*
 * folder.h - the files of a spool: taken whole, read in pieces, put away with a report.
 *
 * ROOT/in is where files are dropped. Taking one is a rename to ROOT/work, so that two never have
 * it; in the end it is renamed to ROOT/done or ROOT/failed, with NAME.report.json beside it. All of
 * it blocks, and belongs on a worker thread; one at a time has the folder.
 */
#ifndef SPOOL_FOLDER_H
#define SPOOL_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LINES_MAX  1000
#define BYTES_MAX  ((size_t)1 << 20) /* of several lines; one alone may be longer */
#define WHOLE_MAX  ((size_t)16 << 20)
#define ERROR_TEXT 512

struct folder {
    char *root;   /* owned */
    int settle_s; /* a file is taken when it has not changed for so long */
};

/* Make what is missing of the four folders. False: `error` says why. */
bool folder_open(struct folder *f, const char *root, char *error, size_t size);
void folder_close(struct folder *f);

/*
 * The next file by name: one that is in work already, else one that is taken now. *out is its name,
 * the caller's to free(); NULL: there is none. *is_new: it was taken now. False: `error` says why
 * not.
 */
bool folder_take(char **out, bool *is_new, const struct folder *f, char *error, size_t size);

/* A piece of a file in work. */
struct piece {
    char *bytes; /* whole lines, or all of the file; owned, followed by a NUL */
    size_t len;
    int64_t lines; /* how many begin in it */
    int64_t next;  /* offset of what comes after it */
    bool is_end;   /* nothing comes after it */
};
/* Lines from `offset` on, at most `max_lines`. */
bool folder_read_lines(struct piece *out, const struct folder *f, const char *name, int64_t offset,
                       int max_lines, char *error, size_t size);
/* All of it. */
bool folder_read_whole(struct piece *out, const struct folder *f, const char *name, char *error,
                       size_t size);
void piece_fini(struct piece *p);

/* Put the file away, to done or failed, its report first; neither replaces another. */
bool folder_finish(const struct folder *f, const char *name, bool is_done, const char *report,
                   char *error, size_t size);

#endif
