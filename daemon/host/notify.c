/* notify.c - see notify.h. */
#include "host/notify.h"

#include <stdint.h>

#include <systemd/sd-daemon.h>

static void on_alive(void *arg)
{
    struct notify *n = arg;
    n->is_pinging = false;
    sd_notify(0, "WATCHDOG=1");
}

static void on_timer(uv_timer_t *timer)
{
    struct notify *n = timer->data;
    if (!n->is_pinging)
        n->is_pinging = n->ping(n->arg, on_alive, n);
}

void notify_init(struct notify *n, uv_loop_t *loop, notify_ping_fn *ping, void *arg)
{
    uint64_t period_us = 0;

    *n = (struct notify){ .ping = ping, .arg = arg };
    if (sd_watchdog_enabled(0, &period_us) <= 0)
        return;
    uv_timer_init(loop, &n->timer);
    n->timer.data = n;
    uint64_t half_ms = period_us / 2000;
    uv_timer_start(&n->timer, on_timer, half_ms, half_ms > 0 ? half_ms : 1);
    n->has_timer = true;
}

void notify_ready(const char *status)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_status(const char *status)
{
    sd_notifyf(0, "STATUS=%s", status);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=finishing what was taken");
}

void notify_close(struct notify *n)
{
    if (n->has_timer)
        uv_close((uv_handle_t *)&n->timer, NULL);
    n->has_timer = false;
}
