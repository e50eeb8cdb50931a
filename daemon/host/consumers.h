/*
 * consumers.h - who reads the feed, and how far each has come: cursors that are kept in the
 * database.
 *
 * A place moves in memory at once and on disk within a second, and before the host stops: a crash
 * shows the last entries again, and leaves none out.
 */
#ifndef PATHWAY_HOST_CONSUMERS_H
#define PATHWAY_HOST_CONSUMERS_H

#include <stdbool.h>
#include <stdint.h>

#include <pathway/plugin.h>

#include "base/buf.h"
#include "base/err.h"
#include "host/keeper.h"
#include "host/service.h"

struct consumers;

MUST_CHECK enum err_code consumers_new(struct consumers **out, struct service *s,
                                       struct keeper *keeper, struct err *err);
/* The database is open: read the places that it has. */
void consumers_load(struct consumers *c);
/* The feed's last number now. */
void consumers_head(struct consumers *c, int64_t head);

/* As pw_host.cursor_open() and so on; `owner` is the plugin's name. `opened` runs later. */
enum pw_status cursor_open(struct consumers *c, const char *owner, const char *name, int64_t from,
                           pw_cursor_fn *opened, void *arg);
void cursor_ack(struct pw_cursor *cursor, int64_t seq);
void cursor_move(struct pw_cursor *cursor, int64_t seq);
void cursor_close(struct pw_cursor *cursor, bool forget);
/* A plugin is gone: its cursors are closed. */
void consumers_close(struct consumers *c, const char *owner);

/* Openings that still wait are answered: they will not be. */
void consumers_stop(struct consumers *c);

/* [{"name","acked","lag","open"}...] */
void consumers_describe(const struct consumers *c, struct buf *out);
/* pathwayd_consumer_lag{consumer}. */
void consumers_measure(const struct consumers *c, struct buf *out);

/* After keeper_stop(). NULL is allowed. */
void consumers_free(struct consumers *c);

#endif
