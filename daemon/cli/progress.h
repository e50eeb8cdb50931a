/*
 * progress.h - one line on a terminal that says how far something has come. Nothing elsewhere.
 */
#ifndef PATHWAY_CLI_PROGRESS_H
#define PATHWAY_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool is_shown;
    int64_t started_us;
    int64_t drawn_us; /* 0: never */
    int64_t total;    /* bytes; 0: not known */
};

/* Shown when standard error is a terminal. */
void progress_init(struct progress *p, int64_t total_bytes);
/* Draw anew, at most ten times a second. */
void progress_show(struct progress *p, int64_t bytes, int64_t events);
/* The same for other work than sending: `done` of `of` things called `what`. Of 0: not
 * known yet. */
void progress_show_work(struct progress *p, int64_t done, int64_t of, const char *what);
/* Wipe the line, before something else is printed. */
void progress_clear(struct progress *p);

#endif
