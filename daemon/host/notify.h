/*
 * notify.h - tells systemd how we are, and feeds its watchdog when we really live.
 *
 * Does nothing when systemd did not start us. All on the loop thread.
 */
#ifndef PATHWAY_HOST_NOTIFY_H
#define PATHWAY_HOST_NOTIFY_H

#include <stdbool.h>

#include <uv.h>

/* Send nothing through all that must be alive; `done` when it is back. False: it was not sent. */
typedef bool notify_ping_fn(void *arg, void (*done)(void *arg), void *done_arg);

struct notify {
    uv_timer_t timer;
    notify_ping_fn *ping;
    void *arg;
    bool is_pinging; /* one is under way: no second, and no food, until it is back */
    bool has_timer;
};

/* Zeroed to valid. When systemd asks for a watchdog, ping at half its period. */
void notify_init(struct notify *n, uv_loop_t *loop, notify_ping_fn *ping, void *arg);
void notify_ready(const char *status);
void notify_status(const char *status);
void notify_stopping(void);
/* Closes the timer; `n` must live until the loop has run it. */
void notify_close(struct notify *n);

#endif
