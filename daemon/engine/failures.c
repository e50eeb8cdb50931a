/* failures.c - see failures.h. */
#include "engine/failures.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define BOUNDS 10
static const int64_t BOUNDS_US[BOUNDS] = { 50,   100,   250,    500,     1000,
                                           5000, 25000, 100000, 1000000, 10000000 };

struct failure {
    char hub[16], rule[80], subject[80], message[300];
    uint64_t count;
    bool is_of_now;
};

struct failures {
    pthread_mutex_t lock;
    struct failure *items;
    size_t count;
    uint64_t times[BOUNDS + 1], time_us;
};

enum err_code failures_new(struct failures **out, struct err *err)
{
    struct failures *f = calloc(1, sizeof(*f));

    *out = f;
    if (f)
        f->items = calloc(FAILURES_MAX + 1, sizeof(*f->items));
    if (!f || !f->items || pthread_mutex_init(&f->lock, NULL) != 0) {
        if (f)
            free(f->items);
        free(f);
        *out = NULL;
        return err_set(err, ERR_LIMIT, "no memory to count what fails");
    }
    return OK;
}

void failures_free(struct failures *f)
{
    if (!f)
        return;
    pthread_mutex_destroy(&f->lock);
    free(f->items);
    free(f);
}

static struct failure *find(struct failures *f, const char *hub, const char *rule)
{
    size_t i = 0;

    while (i < f->count &&
           (strcmp(f->items[i].rule, rule) != 0 || strcmp(f->items[i].hub, hub) != 0))
        i++;
    struct failure *found = &f->items[i];
    if (i < f->count)
        return found;
    if (f->count < FAILURES_MAX)
        f->count++;
    else /* the last one, for all that have no place */
        hub = "", rule = "other", f->count = FAILURES_MAX + 1, found = &f->items[FAILURES_MAX];
    snprintf(found->hub, sizeof(found->hub), "%s", hub);
    snprintf(found->rule, sizeof(found->rule), "%s", rule);
    return found;
}

void failures_note(struct failures *f, const char *hub, const char *rule, const char *subject,
                   const char *message)
{
    pthread_mutex_lock(&f->lock);
    struct failure *found = find(f, hub ? hub : "", rule);
    found->count++;
    found->is_of_now = true;
    snprintf(found->subject, sizeof(found->subject), "%s", subject);
    snprintf(found->message, sizeof(found->message), "%s", message);
    pthread_mutex_unlock(&f->lock);
}

void failures_time(struct failures *f, int64_t took_us)
{
    int i = 0;

    while (i < BOUNDS && took_us > BOUNDS_US[i])
        i++;
    pthread_mutex_lock(&f->lock);
    f->times[i]++;
    f->time_us += took_us > 0 ? (uint64_t)took_us : 0;
    pthread_mutex_unlock(&f->lock);
}

/* A label's value: codes and names hold no more than this. */
static void write_label(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_char(out, '\\');
        buf_char(out, *text);
    }
}

static void write_times(const struct failures *f, struct buf *out)
{
    static const char NAME[] = "pathwayd_rule_seconds";
    unsigned long long sum = 0;

    buf_printf(out, "# HELP %s How long the rules took to judge one subject\n# TYPE %s histogram\n",
               NAME, NAME);
    for (int i = 0; i < BOUNDS; i++) {
        sum += f->times[i];
        buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", NAME, (double)BOUNDS_US[i] / 1e6, sum);
    }
    sum += f->times[BOUNDS];
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", NAME, sum, NAME,
               (double)f->time_us / 1e6, NAME, sum);
}

void failures_write_metrics(struct failures *f, struct buf *out)
{
    static const char NAME[] = "pathwayd_rule_errors_total";

    pthread_mutex_lock(&f->lock);
    buf_printf(out,
               "# HELP %s Rules, reducers and moves that failed for a subject\n# TYPE %s counter\n",
               NAME, NAME);
    for (size_t i = 0; i < f->count; i++) {
        buf_printf(out, "%s{hub=\"", NAME);
        write_label(out, f->items[i].hub);
        buf_str(out, "\",rule=\"");
        write_label(out, f->items[i].rule);
        buf_printf(out, "\"} %llu\n", (unsigned long long)f->items[i].count);
    }
    write_times(f, out);
    pthread_mutex_unlock(&f->lock);
}

void failures_settle(struct failures *f)
{
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->count; i++)
        f->items[i].is_of_now = false;
    pthread_mutex_unlock(&f->lock);
}

void failures_write_list(struct failures *f, struct buf *out)
{
    const char *comma = "";

    pthread_mutex_lock(&f->lock);
    buf_char(out, '[');
    for (size_t i = 0; i < f->count; i++) {
        const struct failure *x = &f->items[i];
        if (!x->is_of_now)
            continue;
        buf_printf(out, "%s{\"hub\":", comma);
        comma = ",";
        json_write_cstr(out, x->hub[0] ? x->hub : NULL);
        buf_str(out, ",\"rule\":");
        json_write_cstr(out, x->rule);
        buf_printf(out, ",\"count\":%llu,\"subject\":", (unsigned long long)x->count);
        json_write_cstr(out, x->subject);
        buf_str(out, ",\"error\":");
        json_write_cstr(out, x->message);
        buf_char(out, '}');
    }
    buf_char(out, ']');
    pthread_mutex_unlock(&f->lock);
}
