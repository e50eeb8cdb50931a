/* progress.c - see progress.h. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/clock.h"

#define DRAW_EVERY_US (US_PER_S / 10)
#define BAR_WIDTH     30

void progress_init(struct progress *p, int64_t total_bytes)
{
    memset(p, 0, sizeof(*p));
    p->is_shown = isatty(STDERR_FILENO) != 0;
    p->started_us = clock_monotonic();
    p->total = total_bytes;
}

static bool is_due(struct progress *p)
{
    int64_t now = p->is_shown ? clock_monotonic() : 0;

    if (!p->is_shown || (p->drawn_us && now - p->drawn_us < DRAW_EVERY_US))
        return false;
    p->drawn_us = now;
    return true;
}

static void fill_bar(char bar[BAR_WIDTH + 1], double done)
{
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)(done * BAR_WIDTH));
    bar[BAR_WIDTH] = '\0';
}

void progress_show_work(struct progress *p, int64_t done, int64_t of, const char *what)
{
    char bar[BAR_WIDTH + 1];

    if (!is_due(p))
        return;
    double share = of > 0 && done < of ? (double)done / (double)of : of > 0;
    fill_bar(bar, share);
    if (of > 0)
        fprintf(stderr, "\r\033[K[%s] %3.0f%%  %lld of %lld %s", bar, share * 100, (long long)done,
                (long long)of, what);
    else
        fprintf(stderr, "\r\033[K[%s] reading the log", bar);
}

void progress_show(struct progress *p, int64_t bytes, int64_t events)
{
    char bar[BAR_WIDTH + 1];

    if (!is_due(p))
        return;
    double seconds = (double)(p->drawn_us - p->started_us) / (double)US_PER_S;
    double rate = seconds > 0 ? (double)events / seconds : 0;
    if (p->total <= 0) {
        fprintf(stderr, "\r\033[K%lld events  %.0f/s", (long long)events, rate);
        return;
    }
    double done = bytes < p->total ? (double)bytes / (double)p->total : 1;
    fill_bar(bar, done);
    fprintf(stderr, "\r\033[K[%s] %3.0f%%  %lld events  %.0f/s", bar, done * 100, (long long)events,
            rate);
}

void progress_clear(struct progress *p)
{
    if (p->drawn_us)
        fputs("\r\033[K", stderr);
    p->drawn_us = 0;
}
