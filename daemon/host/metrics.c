/* metrics.c - see metrics.h. */
#include "host/metrics.h"

#include <pathway/plugin.h>

static const int64_t BOUNDS_US[HISTOGRAM_BOUNDS] = { 500,     1000,    2500,    5000,   10000,
                                                     25000,   50000,   100000,  250000, 500000,
                                                     1000000, 2500000, 10000000 };

void histogram_add(struct histogram *h, int64_t took_us)
{
    size_t i = 0;

    while (i < HISTOGRAM_BOUNDS && took_us > BOUNDS_US[i])
        i++;
    h->counts[i]++;
    h->sum_us += took_us > 0 ? (uint64_t)took_us : 0;
}

static void write_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_one(struct buf *out, const char *name, const char *type, uint64_t value,
                      const char *help)
{
    write_head(out, name, type, help);
    buf_printf(out, "%s %llu\n", name, (unsigned long long)value);
}

static void write_histogram(struct buf *out, const char *name, const struct histogram *h,
                            const char *help)
{
    unsigned long long sum = 0;

    write_head(out, name, "histogram", help);
    for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
        sum += h->counts[i];
        buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", name, (double)BOUNDS_US[i] / 1e6, sum);
    }
    sum += h->counts[HISTOGRAM_BOUNDS];
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n", name, sum);
    buf_printf(out, "%s_sum %.6f\n", name, (double)h->sum_us / 1e6);
    buf_printf(out, "%s_count %llu\n", name, sum);
}

static void write_events(struct buf *out, const struct metrics *m)
{
    static const char *const NAMES[] = { [PW_ACCEPTED] = "accepted",
                                         [PW_DUPLICATE] = "duplicate",
                                         [PW_CONFLICTING] = "conflict",
                                         [PW_INVALID] = "invalid" };

    write_head(out, "pathwayd_events_total", "counter",
               "Events that were sent, by what became of them");
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        buf_printf(out, "pathwayd_events_total{status=\"%s\"} %llu\n", NAMES[i],
                   (unsigned long long)m->events[i]);
}

static void write_generation(struct buf *out, const struct engine_counters *e)
{
    static const char NAME[] = "pathwayd_generation_info";

    write_head(out, NAME, "gauge", "The rules in force");
    if (e->generation > 0)
        buf_printf(out, "%s{generation=\"%lld\",digest=\"%s\"} 1\n", NAME, (long long)e->generation,
                   e->digest);
}

void metrics_write(struct buf *out, const struct metrics *m)
{
    const struct engine_counters *e = &m->figures.engine;

    write_events(out, m);
    write_one(out, "pathwayd_changes_total", "counter", e->changes, "Entries written to the feed");
    write_histogram(
        out, "pathwayd_commit_seconds", &m->figures.commits,
        "How long it took to take in a batch, or a slice of wakes, and have it on disk");
    write_one(out, "pathwayd_rule_runs_total", "counter", e->rule_runs, "Rules that were run");
    write_one(out, "pathwayd_refolds_total", "counter", e->refolds,
              "Subjects folded anew from the log");
    write_one(out, "pathwayd_wakes_total", "counter", e->wakes,
              "Subjects judged again because their time had come");
    write_one(out, "pathwayd_live_records", "gauge", e->live_records, "Records kept in memory");
    write_one(out, "pathwayd_skipped_events", "gauge", e->skipped,
              "Logged events of a type, or with data, that the rules do not have any more: once "
              "for each record");
    write_one(out, "pathwayd_held_back_subjects", "gauge", e->held_back,
              "Subjects that are judged one at a time, since the rules of their hub take long");
    write_one(out, "pathwayd_queue_events", "gauge", m->queue_events,
              "Events that wait for the engine");
    write_generation(out, e);
}
