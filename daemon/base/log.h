/*
 * log.h - one line, one event, key=value, to standard error.
 *
 * Lines look like `feed: pruned rows=1200`: lower case, subject first, no
 * personal data. Under systemd (JOURNAL_STREAM set) each starts with its
 * priority; else with the time and level. Thread-safe: one write per line.
 */
#ifndef PATHWAY_LOG_H
#define PATHWAY_LOG_H

#include <stdbool.h>

#include "base/err.h"

enum log_level {
    LOG_ERR,   /* a person must act */
    LOG_WARN,  /* degraded */
    LOG_INFO,  /* state changed */
    LOG_DEBUG, /* the rest */
};

void log_set_level(enum log_level level);
/* "err", "warn", "info", "debug"; false when it is none of them. */
bool log_level_parse(enum log_level *out, const char *name);
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_err(...)   log_line(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
