/* answer_whatif.c - "whatif": other rules, or other values of parameters, against the rules in force. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/crowd.h"
#include "engine/reader.h"
#include "engine/whatif_count.h"
#include "engine/whatif_write.h"
#include "lua/suppose.h"

#define FILES_MAX   4000
#define EVENTS_EACH 8 /* of a subject, at least, in a log that is worth two threads */

struct request {
    const struct json *set;   /* NULL: no parameters */
    const struct json *files; /* NULL: no other rules */
    bool may_load;            /* who asks may bring rules */
    bool keeps;               /* packs of which `files` has nothing stay as they are */
    const char *hub;
    struct instants when;
    enum row_format format;
};

struct run {
    struct reader *reader;
    struct request q;
    struct whatif hands[CROWD_MAX];
    struct rulebook *old_rules[CROWD_MAX],
        *new_rules[CROWD_MAX]; /* owned; NULL: the other's, or the reader's */
    int hand_count;
    int64_t moments[WHATIF_MOMENTS];
    int moment_count;
    struct warm *warm; /* being filled, or answering; owned */
};

static enum err_code no_memory(struct err *err)
{
    return err_set(err, ERR_LIMIT, "no memory to compare rules");
}

/* ---- what is asked ---- */

static enum err_code read_flag(bool *out, const struct json *params, const char *name,
                               struct err *err)
{
    const struct json *v = json_get(params, name);

    *out = v && v->type == JSON_BOOL && v->as.boolean;
    if (v && v->type != JSON_BOOL && v->type != JSON_NULL)
        return err_set(err, ERR_INPUT, "%s: found %s, expected true or false", name,
                       json_type_name(v));
    return OK;
}

static enum err_code check_file(const struct json *file, struct err *err)
{
    const struct json *path = json_get(file, "path"), *text = json_get(file, "text");

    if (!path || path->type != JSON_STRING || !text || text->type != JSON_STRING)
        return err_set(
            err, ERR_INPUT,
            "files: expected objects {\"path\":\"national/rules.lua\",\"text\":\"...\"}");
    if ((strncmp(path->as.string, "national/", 9) != 0 &&
         strncmp(path->as.string, "hubs/", 5) != 0) ||
        strstr(path->as.string, ".."))
        return err_set(err, ERR_INPUT,
                       "files: path: found \"%.80s\", expected national/NAME.lua or "
                       "hubs/CODE/NAME.lua",
                       path->as.string);
    return OK;
}

static enum err_code check_rules(const struct request *q, struct err *err)
{
    if (!q->set && !q->files)
        return err_set(
            err, ERR_INPUT,
            "nothing to compare with: expected `set`, as {\"leads_needed\":3}, or `files`");
    if (q->set && (q->set->type != JSON_OBJECT || q->set->len == 0))
        return err_set(err, ERR_INPUT, "set: expected an object such as {\"leads_needed\":3}");
    if (q->files && (q->files->type != JSON_ARRAY || q->files->len == 0))
        return err_set(err, ERR_INPUT, "files: expected a list of {\"path\",\"text\"}");
    if (q->files && !q->may_load)
        return err_set(err, ERR_INPUT,
                       "files: to bring rules takes a token with the scope rules; set needs none");
    for (const struct json *f = q->files ? q->files->as.first : NULL; f; f = f->next)
        if (check_file(f, err) != OK)
            return err->code;
    return OK;
}

static const struct json *given(const struct json *params, const char *name)
{
    const struct json *v = json_get(params, name);
    return v && v->type != JSON_NULL ? v : NULL;
}

static enum err_code read_request(struct request *q, struct reader *r, const struct json *params,
                                  struct err *err)
{
    static const char *const KNOWN[] = { "set", "files", "keep",   "may_load", "hub",
                                         "at",  "known", "format", "tag",      NULL };

    if (params_check(params, KNOWN, err) != OK || params_text(&q->hub, params, "hub", err) != OK ||
        read_flag(&q->keeps, params, "keep", err) != OK ||
        read_flag(&q->may_load, params, "may_load", err) != OK ||
        row_format_read(&q->format, params, err) != OK ||
        params_instants(&q->when, r, params, err) != OK)
        return err->code;
    q->set = given(params, "set");
    q->files = given(params, "files");
    return check_rules(q, err);
}

/* Only parameters, and only now: what else is asked has other facts, or other moments. */
static bool may_keep(const struct run *run)
{
    return !run->q.files && run->q.format != ROWS_JSON && !run->q.when.has_known;
}

/* ---- rules ---- */

/* Does one of the files given belong to the same pack? */
static bool has_pack(const struct json *files, const char *path)
{
    size_t len = (size_t)(strrchr(path, '/') - path) + 1;

    for (const struct json *f = files->as.first; f; f = f->next) {
        const struct json *other = json_get(f, "path");
        if (strncmp(other->as.string, path, len) == 0 && !strchr(other->as.string + len, '/'))
            return true;
    }
    return false;
}

static int by_path(const void *a, const void *b)
{
    const struct ruleset_file *x = a, *y = b;
    bool x_is_hub = strncmp(x->path, "hubs/", 5) == 0, y_is_hub = strncmp(y->path, "hubs/", 5) == 0;

    /* the national pack first, then hubs by code: as a folder is read */
    return x_is_hub != y_is_hub ? x_is_hub - y_is_hub : strcmp(x->path, y->path);
}

static enum err_code load_files(struct rulebook **out, const struct run *run, struct err *err)
{
    const struct request *q = &run->q;
    struct ruleset_file *files = calloc(FILES_MAX, sizeof(*files)), kept;
    int count = 0;

    if (!files)
        return no_memory(err);
    for (const struct json *f = q->files->as.first; f && count < FILES_MAX; f = f->next) {
        const struct json *text = json_get(f, "text");
        files[count++] = (struct ruleset_file){ .path = json_get(f, "path")->as.string,
                                                .text = text->as.string,
                                                .len = text->len };
    }
    for (int i = 0; q->keeps && count < FILES_MAX && rulebook_file_at(&kept, run->reader->rules, i);
         i++)
        if (!has_pack(q->files, kept.path))
            files[count++] = kept;
    qsort(files, (size_t)count, sizeof(*files), by_path);
    enum err_code rc = rulebook_load_files(out, files, count, NULL, err);
    free(files);
    if (rc == ERR_RULE || rc == ERR_ABSENT) /* what is asked about is wrong, not ours */
        err->code = rc = ERR_INPUT;
    return rc;
}

static enum err_code suppose(struct rulebook *b, const struct request *q, struct err *err)
{
    enum err_code rc = OK;

    for (const struct json *p = q->set ? q->set->as.first : NULL; p && rc == OK; p = p->next)
        rc = rulebook_suppose(b, p->name, p, err);
    return rc;
}

/* The reader's own rules stay as they are: what is supposed is supposed of a copy. */
static enum err_code load_rules(struct run *run, int i, struct err *err)
{
    struct reader *r = run->reader;
    enum err_code rc = OK;

    if (!run->q.files || i > 0)
        rc = rulebook_again(&run->old_rules[i], r->rules, err);
    if (rc == OK && run->q.files)
        rc = load_files(&run->new_rules[i], run, err);
    struct rulebook *old = run->old_rules[i] ? run->old_rules[i] : r->rules;
    if (rc == OK && may_keep(run))
        rc = rulebook_watch(old, err);
    return rc == OK ? suppose(run->new_rules[i] ? run->new_rules[i] : old, &run->q, err) : rc;
}

/* The second thread's rules are loaded while the log is being read. */
struct loading {
    struct run *run;
    pthread_t thread;
    bool is_under_way;
    struct err err;
};

static void *load_second(void *arg)
{
    struct loading *l = arg;

    l->err.code = OK;
    if (load_rules(l->run, 1, &l->err) == OK)
        l->err.code = OK;
    return NULL;
}

static void begin_loading(struct loading *l, struct run *run)
{
    *l = (struct loading){ .run = run };
    if (crowd_size((size_t)run->q.when.max_seq / EVENTS_EACH) > 1)
        l->is_under_way = pthread_create(&l->thread, NULL, load_second, l) == 0;
}

static enum err_code end_loading(struct loading *l, struct err *err)
{
    if (!l->is_under_way)
        return OK;
    pthread_join(l->thread, NULL);
    return l->err.code == OK ? OK : err_set(err, l->err.code, "%s", l->err.msg);
}

/* ---- moments ---- */

static enum err_code first_time(int64_t *out, struct world *w, const char *const *subjects,
                                size_t count, struct err *err)
{
    const struct entry *const *touching;
    size_t n;

    *out = TIME_NEVER;
    for (size_t i = 0; i < count; i++) {
        if (world_touching(&touching, &n, w, subjects[i], err) != OK)
            return err->code;
        if (n > 0 && touching[0]->key.time < *out)
            *out = touching[0]->key.time;
    }
    return OK;
}

/* The ends of the academic years since the first event, and the moment asked about. */
static enum err_code find_moments(struct run *run, const char *const *subjects, size_t count,
                                  struct err *err)
{
    int64_t first, at = run->q.when.at;

    if (first_time(&first, run->reader->world, subjects, count, err) != OK)
        return err->code;
    if (run->q.format == ROWS_JSON && first < at) {
        int last_year = year_at(at), year = year_at(first) + 1;
        if (last_year - year + 2 > WHATIF_MOMENTS)
            year = last_year - WHATIF_MOMENTS + 2;
        for (; year <= last_year; year++)
            if (year_start(year) < at)
                run->moments[run->moment_count++] = year_start(year);
    }
    run->moments[run->moment_count++] = at;
    return OK;
}

/* ---- records that are warm ---- */

/* Are there records that can answer? Then they stand at what is known now. */
static bool has_warm(struct run *run)
{
    struct warm *w = run->reader->warm;
    struct err ignored;

    if (!may_keep(run) || !warm_fits(w, run->reader->rules, run->q.when.at))
        return false;
    for (const struct json *p = run->q.set->as.first; p; p = p->next)
        for (int i = 0; i < w->hand_count; i++)
            if (rulebook_moves_read(w->books[i], p->name))
                return false;
    if (warm_follow(w, run->reader->store, run->q.when.max_seq, &ignored) == OK &&
        run->q.when.at < w->next_event)
        return true;
    reader_forget(run->reader);
    return false;
}

static enum err_code work_warm(void *hand, struct warm_slot *slot, struct err *err)
{
    return whatif_warm(hand, slot, err);
}

static enum err_code compare_warm(struct run *run, struct err *err)
{
    struct warm *warm = run->reader->warm;
    void *hands[CROWD_MAX];
    enum err_code rc = OK;

    run->moments[run->moment_count++] = run->q.when.at;
    run->hand_count = warm->hand_count;
    for (int i = 0; i < warm->hand_count && rc == OK; i++) {
        hands[i] = &run->hands[i];
        run->hands[i] = (struct whatif){ .old_rules = warm->books[i],
                                         .new_rules = warm->books[i],
                                         .hub = run->q.hub,
                                         .moments = run->moments,
                                         .moment_count = 1,
                                         .wants_reasons = run->q.format != ROWS_CSV };
        rulebook_was_moved(warm->books[i]);
        rc = suppose(warm->books[i], &run->q, err);
    }
    if (rc == OK)
        rc = warm_run(warm, hands, work_warm, err);
    for (int i = 1; i < run->hand_count && rc == OK; i++)
        rc = whatif_add(&run->hands[0], &run->hands[i], err);
    for (int i = 0; i < warm->hand_count; i++)
        rulebook_suppose_nothing(warm->books[i]);
    warm->at = run->q.when.at;
    return rc;
}

/* What was folded for this answer serves for the next one. */
static void keep_warm(struct run *run)
{
    struct warm *w = run->warm;

    for (int i = 0; i < run->hand_count; i++) {
        rulebook_suppose_nothing(run->old_rules[i]);
        w->books[i] = run->old_rules[i];
        run->old_rules[i] = NULL;
    }
    w->hand_count = run->hand_count;
    warm_free(run->reader->warm);
    run->reader->warm = w;
    run->warm = NULL;
}

/* ---- the run ---- */

static enum err_code work(void *hand, const char *subject, size_t index, struct err *err)
{
    return whatif_subject(hand, subject, index, err);
}

static void tell(size_t done, size_t of, void *arg)
{
    const struct run *run = arg;
    reader_tell(run->reader, (int64_t)done, (int64_t)of);
}

static void tell_scan(int64_t seq, void *arg)
{
    (void)seq;
    reader_tell(arg, 0, 0);
}

/* So many hands have their rules. */
static void prepare(struct run *run)
{
    run->hand_count = run->old_rules[1] || run->new_rules[1] ? 2 : 1;
    for (int i = 0; i < run->hand_count; i++) {
        struct rulebook *old = run->old_rules[i] ? run->old_rules[i] : run->reader->rules;
        run->hands[i] = (struct whatif){ .world = run->reader->world,
                                         .old_rules = old,
                                         .new_rules = run->new_rules[i] ? run->new_rules[i] : old,
                                         .hub = run->q.hub,
                                         .moments = run->moments,
                                         .moment_count = run->moment_count,
                                         .wants_reasons = run->q.format != ROWS_CSV,
                                         .warm = run->warm,
                                         .hand = i };
    }
}

static enum err_code compare_all(struct run *run, struct err *err)
{
    struct reader *r = run->reader;
    size_t count;
    const char *const *subjects = world_subjects(r->world, &count);

    if (!subjects)
        return no_memory(err);
    enum err_code rc = find_moments(run, subjects, count, err);
    if (rc == OK)
        rc = world_share(r->world, err);
    if (rc == OK && may_keep(run))
        rc = warm_new(&run->warm, r->world, subjects, count, run->q.when.at, run->q.when.max_seq,
                      err);
    if (rc == OK)
        prepare(run);
    struct crowd_options o = { .world = r->world,
                               .subjects = subjects,
                               .count = count,
                               .hand_count = run->hand_count,
                               .work = work,
                               .progress = tell,
                               .arg = run };
    for (int i = 0; i < run->hand_count; i++)
        o.hands[i] = &run->hands[i];
    if (rc == OK)
        rc = crowd_run(&o, err);
    for (int i = 1; i < run->hand_count && rc == OK; i++)
        rc = whatif_add(&run->hands[0], &run->hands[i], err);
    return rc;
}

static enum err_code check_hub(const struct run *run, struct err *err)
{
    const struct strmap *met[CROWD_MAX];

    for (int i = 0; i < run->hand_count; i++)
        met[i] = &run->hands[i].hubs;
    return run->q.hub ? hub_check(run->q.hub, met, run->hand_count, err) : OK;
}

static void let_go(struct run *run)
{
    for (int i = 0; i < run->hand_count; i++)
        whatif_fini(&run->hands[i]);
    warm_free(run->warm); /* before the rules that its records live in */
    run->warm = NULL;
    for (int i = 0; i < CROWD_MAX; i++) {
        rulebook_free(run->old_rules[i]);
        rulebook_free(run->new_rules[i]);
        run->old_rules[i] = run->new_rules[i] = NULL;
    }
}

static enum err_code compare_cold(struct run *run, struct err *err)
{
    struct reader *r = run->reader;

    struct loading second = { 0 };

    enum err_code rc = load_rules(run, 0, err); /* slips in them are told before the log is read */
    if (rc == OK)
        rc = reader_world(r, run->q.when.max_seq, false, err);
    if (rc == OK) {
        begin_loading(&second, run);
        world_tell(r->world, tell_scan, r);
        rc = world_load_all(r->world, err);
        enum err_code loaded = end_loading(&second, rc == OK ? err : NULL);
        rc = rc == OK ? loaded : rc;
    }
    return rc == OK ? compare_all(run, err) : rc;
}

static enum err_code find_differences(struct run *run, struct err *err)
{
    struct reader *r = run->reader;

    if (!has_warm(run))
        return compare_cold(run, err);
    enum err_code rc = compare_warm(run, err);
    if (rc != OK)
        reader_forget(r); /* it may have been judged by half */
    if (rc != ERR_CONFLICT)
        return rc;
    let_go(run); /* the records could not follow: all of it anew */
    run->hand_count = run->moment_count = 0;
    return compare_cold(run, err);
}

enum err_code answer_whatif(struct buf *out, struct reader *r, const struct json *params,
                            struct err *err)
{
    struct run *run = calloc(1, sizeof(*run));

    if (!run)
        return no_memory(err);
    run->reader = r;
    enum err_code rc = read_request(&run->q, r, params, err);
    if (rc == OK)
        rc = reader_need_rules(r, err);
    if (rc == OK)
        rc = find_differences(run, err);
    if (rc == OK)
        rc = check_hub(run, err);
    if (rc == OK)
        rc = whatif_write(out, &run->hands[0], r, run->q.format, run->q.set, run->q.hub, err);
    if (rc == OK && run->warm)
        keep_warm(run);
    let_go(run);
    free(run);
    return rc;
}
