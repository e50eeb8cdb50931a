/*
 * questions.c - how long pathwayd takes to answer questions, and how long a plain fold of the same
 * events takes.
 *
 * Asks a database, inside one process, as a worker of the daemon does: no HTTP, no start of a
 * program. With --ask the lines of a file are the parameters of that question, asked one after the
 * other; with --fold their subjects are read from the log and folded, and nothing else; with --scan
 * the whole log is read and every subject in it folded, on one thread. Prints
 * {"count":N,"seconds":[...],"bytes":B}, one figure a run: all lines of it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/digest.h"
#include "common.h"
#include "engine/fold.h"
#include "engine/question.h"
#include "store/log.h"

static const char USAGE[] =
    "bench-questions --database FILE --rules DIR --now TIME --lines FILE [--warm N] [--runs N] "
    "(--ask QUESTION | --fold yes | --scan yes)";

struct bench {
    const char *database, *rules, *question;
    const struct json **lines;
    size_t count;
    int64_t now;
    struct reader *reader; /* to ask */
    struct store *store;   /* to fold */
    struct rulebook *book;
    struct arena arena;
    size_t bytes; /* of the answers of a run; folded: the subjects */
};

static void check(enum err_code rc, const struct err *err)
{
    if (rc != OK)
        die("%s", err->msg);
}

static void read_lines(struct bench *b, const char *path)
{
    struct lines text = lines_read(path, 0);
    struct err err;

    b->lines = need(calloc(text.count + 1, sizeof(*b->lines)));
    for (size_t i = 0; i < text.count; i++)
        check(json_parse(&b->lines[i], &b->arena, text.bytes + text.start[i],
                         text.start[i + 1] - text.start[i], 64, &err),
              &err);
    b->count = text.count;
}

static void ask_all(struct bench *b)
{
    struct buf out = { 0 };
    struct err err;

    for (size_t i = 0; i < b->count; i++) {
        buf_reset(&out);
        check(question_answer(&out, b->reader, b->question, b->lines[i], &err), &err);
        b->bytes += out.len;
    }
    buf_fini(&out);
}

/* ---- floors ---- */

static int64_t moment_of(const struct bench *b, const struct json *line)
{
    const struct json *at = json_get(line, "at");
    struct err err;
    int64_t t = b->now;

    if (at)
        check(moment_parse(&t, at->as.string, &err), &err);
    return t;
}

static struct world *open_world(struct bench *b)
{
    struct world *w;
    struct err err;
    int64_t last;

    check(store_snapshot(b->store, &err), &err);
    check(log_last_seq(&last, b->store, &err), &err);
    check(world_open(&w, b->store, last, &err), &err);
    return w;
}

static void fold_one(struct bench *b, struct world *w, const char *subject, int64_t at)
{
    struct fold f;
    struct err err;

    check(fold_subject(&f, b->book, w, subject, at, &err), &err);
    fold_fini(&f);
    b->bytes++;
}

/* Each line's subject, in a world of its own: what a question about one subject can not do
 * without. */
static void fold_lines(struct bench *b)
{
    for (size_t i = 0; i < b->count; i++) {
        struct world *w = open_world(b);
        fold_one(b, w, json_get(b->lines[i], "subject")->as.string, moment_of(b, b->lines[i]));
        world_close(w);
        store_snapshot_end(b->store);
    }
}

static void scan(struct bench *b)
{
    struct world *w = open_world(b);
    int64_t at = moment_of(b, b->count > 0 ? b->lines[0] : NULL);
    struct err err;
    size_t count;

    check(world_load_all(w, &err), &err);
    const char *const *subjects = world_subjects(w, &count);
    for (size_t i = 0; i < count; i++)
        fold_one(b, w, subjects[i], at);
    world_close(w);
    store_snapshot_end(b->store);
}

/* ---- */

static void open_floor(struct bench *b)
{
    struct err err;

    check(store_open(&b->store, b->database, STORE_READ, &err), &err);
    check(rulebook_load(&b->book, b->rules, NULL, NULL, &err), &err);
}

static void open_reader(struct bench *b)
{
    struct clock clock;
    struct err err;

    clock_init_fixed(&clock, b->now);
    check(reader_open(&b->reader, b->database, NULL, &clock, &err), &err);
}

static void run(struct bench *b, void (*what)(struct bench *), int64_t warm, int64_t runs)
{
    printf("{\"count\":%zu,\"seconds\":[", b->count);
    for (int64_t i = -warm; i < runs; i++) {
        b->bytes = 0;
        int64_t began = clock_us();
        what(b);
        if (i >= 0)
            printf("%s%.6f", i ? "," : "", (double)(clock_us() - began) / 1e6);
    }
    printf("],\"bytes\":%zu}\n", b->bytes);
}

int main(int argc, char **argv)
{
    struct bench b = { .database = option_needed(argc, argv, "--database", USAGE),
                       .rules = option_needed(argc, argv, "--rules", USAGE),
                       .question = option_text(argc, argv, "--ask") };
    bool is_scan = option_text(argc, argv, "--scan"), is_fold = option_text(argc, argv, "--fold");
    struct err err;

    if (!b.question && !is_scan && !is_fold)
        die("%s", USAGE);
    check(civil_init(&err), &err);
    check(digest_init(&err), &err);
    check(moment_parse(&b.now, option_needed(argc, argv, "--now", USAGE), &err), &err);
    read_lines(&b, option_needed(argc, argv, "--lines", USAGE));
    if (b.question)
        open_reader(&b);
    else
        open_floor(&b);
    run(&b,
        b.question ? ask_all
        : is_scan  ? scan
                   : fold_lines,
        option_number(argc, argv, "--warm", 1), option_number(argc, argv, "--runs", 1));
    reader_close(b.reader);
    store_close(b.store);
    rulebook_free(b.book);
    free(b.lines);
    arena_fini(&b.arena);
    return 0;
}
