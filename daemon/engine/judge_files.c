/* judge_files.c - `pathway judge`: files of events folded in a database in memory, by the same code
 * that the daemon runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/append.h"
#include "engine/export.h"
#include "engine/question.h"
#include "engine/world.h"
#include "store/store.h"

#define BATCH 10000 /* events a transaction: it is in memory, so this only bounds the undo log */

struct intake {
    struct store *store;
    struct rulebook *rules;
    const struct judge_options *options;
    struct arena arena;
    int64_t taken;
};

static void refuse(struct intake *in, const char *file, long line, const char *status,
                   const char *detail)
{
    char where[4200];
    if (!in->options->refused)
        return;
    snprintf(where, sizeof(where), "%s:%ld", file, line);
    in->options->refused(where, status, detail, in->options->arg);
}

static enum err_code take_line(struct intake *in, const char *file, long line, const char *text,
                               size_t len, struct err *err)
{
    const struct json *json = NULL;
    struct event event;
    struct err why;
    enum append_status status;
    int64_t seq;

    arena_reset(&in->arena);
    if (json_parse(&json, &in->arena, text, len, EVENT_MAX_DEPTH, &why) != OK ||
        event_read(&event, &in->arena, json, rulebook_catalog(in->rules), store_note_key(in->store),
                   &why) != OK) {
        refuse(in, file, line, "invalid", why.msg);
        return OK;
    }
    enum err_code rc = append_event(&status, &seq, in->store, &event, 0, NULL, err);
    if (rc == OK && status == APPEND_CONFLICT)
        refuse(in, file, line, "conflict",
               "the same source and id were there already with other content; the first stands");
    if (rc == OK && ++in->taken % BATCH == 0) {
        rc = store_commit(in->store, err);
        if (rc == OK)
            rc = store_begin(in->store, err);
    }
    return rc;
}

static bool is_blank(const char *text, size_t len)
{
    return strspn(text, " \t\r\n") >= len;
}

static enum err_code take_file(struct intake *in, const char *file, struct err *err)
{
    bool is_stdin = strcmp(file, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(file, "rb");
    char *text = NULL;
    size_t cap = 0;
    ssize_t len;
    enum err_code rc = OK;

    if (!f)
        return err_set(err, ERR_IO, "%s: %s", file, strerror(errno));
    for (long line = 1; rc == OK && (len = getline(&text, &cap, f)) >= 0; line++) {
        size_t skip = line == 1 && len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        if (!is_blank(text + skip, (size_t)len - skip))
            rc = take_line(in, file, line, text + skip, (size_t)len - skip, err);
    }
    if (rc == OK && ferror(f))
        rc = err_set(err, ERR_IO, "%s: %s", file, strerror(errno));
    free(text);
    if (!is_stdin)
        fclose(f);
    return rc;
}

static enum err_code judge(struct buf *out, struct intake *in, struct err *err)
{
    struct world *w = NULL;
    int64_t last;
    struct export_options options = {
        .at = in->options->at,
        .names = in->options->names,
        .name_count = in->options->name_count,
        .as_ndjson = in->options->as_ndjson,
    };

    enum err_code rc = log_last_seq(&last, in->store, err);
    if (rc == OK)
        rc = world_open(&w, in->store, last, err);
    if (rc == OK)
        rc = world_load_all(w, err);
    if (rc == OK)
        rc = export_world(out, w, in->rules, &options, err);
    world_close(w);
    return rc;
}

enum err_code judge_files(struct buf *out, const struct judge_options *options,
                          const char *const *files, int file_count, struct err *err)
{
    struct intake in = { .options = options };

    enum err_code rc = rulebook_load(&in.rules, options->rules, options->national, NULL, err);
    if (rc == OK)
        rc = store_open(&in.store, NULL, STORE_MEMORY, err);
    if (rc == OK)
        rc = store_begin(in.store, err);
    for (int i = 0; i < file_count && rc == OK; i++)
        rc = take_file(&in, files[i], err);
    if (rc == OK)
        rc = store_commit(in.store, err);
    if (rc == OK)
        rc = judge(out, &in, err);
    arena_fini(&in.arena);
    store_close(in.store);
    rulebook_free(in.rules);
    return rc;
}
