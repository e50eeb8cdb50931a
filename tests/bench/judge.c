/*
 * judge.c - how long pathwayd's rules take over all schools whose records are in memory.
 *
 * Folds every school of a database, then judges all of them, all rules each, so many times. Prints
 * {"schools":N,"seconds":[...]}; with --unwatched also "unwatched":[...], each a run in turn with
 * the others in which the timer that limits rules is not heard; with --facts, what the schools'
 * records hold goes to a file, one JSON object a line, for floor_rules. Knows the inner layers as
 * `pathway judge` does.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/digest.h"
#include "common.h"
#include "engine/fold.h"
#include "lua/record.h"
#include "store/log.h"

static const char USAGE[] = "bench-judge --database FILE --rules DIR --now TIME [--times N] "
                            "[--facts FILE] [--unwatched yes]";

struct schools {
    struct fold *folds;
    size_t count;
    int64_t now;
};

static void check(enum err_code rc, const struct err *err)
{
    if (rc != OK)
        die("%s", err->msg);
}

static struct world *open_world(struct store **store, const char *path)
{
    struct err err;
    struct world *w;
    int64_t last;

    check(store_open(store, path, STORE_READ, &err), &err);
    check(log_last_seq(&last, *store, &err), &err);
    check(world_open(&w, *store, last, &err), &err);
    check(world_load_all(w, &err), &err);
    return w;
}

/* Has anything happened to it yet? */
static bool has_begun(struct world *w, const char *subject, int64_t now)
{
    const struct entry *const *touching;
    struct err err;
    size_t count;

    check(world_touching(&touching, &count, w, subject, &err), &err);
    return count > 0 && touching[0]->key.time <= now;
}

static void fold_schools(struct schools *s, struct rulebook *rules, struct world *w)
{
    struct err err;
    size_t count;
    const char *const *names = world_subjects(w, &count);

    s->folds = need(calloc(count + 1, sizeof(*s->folds)));
    for (size_t i = 0; i < count; i++)
        if (strncmp(names[i], "school/", 7) == 0 && has_begun(w, names[i], s->now))
            check(fold_subject(&s->folds[s->count++], rules, w, names[i], s->now, &err), &err);
}

static void count_bytes(const struct judged *j, void *arg)
{
    *(size_t *)arg += strlen(j->value);
}

static double judge_all(const struct schools *s)
{
    struct err err;
    size_t bytes = 0;
    int64_t began = clock_us();

    for (size_t i = 0; i < s->count; i++)
        check(record_judge(s->folds[i].record, s->now, count_bytes, &bytes, &err), &err);
    if (bytes == 0)
        die("no school has a decision");
    return (double)(clock_us() - began) / 1e6;
}

/* The timer of a thread's sandboxes signals it all the time: a signal that is ignored costs
 * nothing. */
static double judge_unwatched(const struct schools *s)
{
    struct sigaction ignore = { .sa_handler = SIG_IGN }, watching;

    sigaction(SIGVTALRM, &ignore, &watching);
    double seconds = judge_all(s);
    sigaction(SIGVTALRM, &watching, NULL);
    return seconds;
}

static void print_runs(const char *name, const double *seconds, int64_t times)
{
    printf(",\"%s\":[", name);
    for (int64_t i = 0; i < times; i++)
        printf("%s%.6f", i ? "," : "", seconds[i]);
    printf("]");
}

static void add_decision(const struct judged *j, void *arg)
{
    struct buf *out = arg;

    if (out->data[out->len - 1] != '{')
        buf_char(out, ',');
    buf_printf(out, "\"%s\":%s", j->name, j->value);
}

static void write_facts(const struct schools *s, const char *path)
{
    FILE *file = fopen(path, "w");
    struct buf line = { 0 };
    struct err err;

    if (!file)
        die("%s can not be written", path);
    for (size_t i = 0; i < s->count; i++) {
        buf_reset(&line);
        buf_printf(&line, "{\"subject\":\"%s\",\"facts\":", s->folds[i].subject);
        check(record_write_facts(&line, s->folds[i].record, &err), &err);
        buf_str(&line, ",\"decisions\":{");
        check(record_judge(s->folds[i].record, s->now, add_decision, &line, &err), &err);
        buf_str(&line, "}}\n");
        fputs(buf_cstr(&line), file);
    }
    buf_fini(&line);
    if (fclose(file) != 0)
        die("%s can not be written", path);
}

int main(int argc, char **argv)
{
    struct schools s = { 0 };
    struct rulebook *rules;
    struct store *store;
    struct err err;
    const char *facts = option_text(argc, argv, "--facts");
    int64_t times = option_number(argc, argv, "--times", 1);

    check(civil_init(&err), &err);
    check(digest_init(&err), &err);
    check(moment_parse(&s.now, option_needed(argc, argv, "--now", USAGE), &err), &err);
    check(rulebook_load(&rules, option_needed(argc, argv, "--rules", USAGE), NULL, NULL, &err),
          &err);
    struct world *w = open_world(&store, option_needed(argc, argv, "--database", USAGE));
    fold_schools(&s, rules, w);
    bool is_compared = option_text(argc, argv, "--unwatched") != NULL;
    double *seconds = need(calloc((size_t)times, sizeof(*seconds)));
    double *unwatched = need(calloc((size_t)times, sizeof(*unwatched)));
    for (int64_t i = 0; i < times; i++) {
        seconds[i] = judge_all(&s);
        unwatched[i] = is_compared ? judge_unwatched(&s) : 0;
    }
    printf("{\"schools\":%zu", s.count);
    print_runs("seconds", seconds, times);
    if (is_compared)
        print_runs("unwatched", unwatched, times);
    printf("}\n");
    free(seconds);
    free(unwatched);
    if (facts)
        write_facts(&s, facts);
    for (size_t i = 0; i < s.count; i++)
        fold_fini(&s.folds[i]);
    world_close(w);
    store_close(store);
    rulebook_free(rules);
    free(s.folds);
    return 0;
}
