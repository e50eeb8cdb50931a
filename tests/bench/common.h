/*
 * common.h - what the programs of the benchmark suite share: a clock, ways to give up, lines
 * of a file, latencies.
 *
 * These programs measure; what they can not measure rightly they do not measure at all: any
 * failure ends the program with a message and status 1.
 */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Microseconds that never run backwards. */
int64_t clock_us(void);

_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Memory, or the end. */
void *need(void *p);

/* The lines of a text file, each with its '\n' (the last one must have it too). */
struct lines {
    const char *bytes;   /* the whole file */
    const size_t *start; /* count + 1 of them: line i is bytes[start[i]] to bytes[start[i + 1]] */
    size_t count;
};
/* At most `limit` lines of it; 0: all. All of it is in memory when this returns. */
struct lines lines_read(const char *path, size_t limit);

/* Durations in microseconds. */
struct latencies {
    int64_t *us;
    size_t count, cap;
};
void latencies_add(struct latencies *l, int64_t us);
/* Write {"count":N,"p50":..,"p99":..,"p99.9":..,"max":..}, milliseconds. Sorts them. */
void latencies_print(FILE *out, struct latencies *l);

/* The text or number after an option `--name VALUE`; NULL or `otherwise` when it is not given. */
const char *option_text(int argc, char **argv, const char *name);
int64_t option_number(int argc, char **argv, const char *name, int64_t otherwise);
/* The same, or the end with "USAGE". */
const char *option_needed(int argc, char **argv, const char *name, const char *usage);

#endif
