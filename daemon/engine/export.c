/* export.c - see export.h. */
#include "engine/export.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/fold.h"
#include "engine/pieces.h"
#include "lua/record.h"

#define AT_A_TIME 4096 /* subjects */

static bool is_wanted(const struct export_options *o, const char *name)
{
    for (int i = 0; i < o->name_count; i++)
        if (strcmp(o->names[i], name) == 0)
            return true;
    return o->names == NULL;
}

#define NAMES_MAX 4096

/* Add those that are not there yet: what hubs share is the national pack's. */
static size_t add_decisions(const char **known, size_t count, struct ruleset *rs)
{
    for (int kind = 0; kind < SUBJECT_KINDS; kind++) {
        int n;
        const char *const *names = ruleset_decisions(rs, (enum subject_kind)kind, &n);
        for (int i = 0; names && i < n && count < NAMES_MAX; i++) {
            bool is_known = false;
            for (size_t k = 0; k < count && !is_known; k++)
                is_known = strcmp(known[k], names[i]) == 0;
            if (!is_known)
                known[count++] = names[i];
        }
    }
    return count;
}

enum err_code export_check_names(struct rulebook *rules, const struct export_options *o,
                                 struct err *err)
{
    const char *known[NAMES_MAX];
    char hint[200];
    size_t count = 0;

    for (int i = 0; rulebook_at(rules, i); i++)
        count = add_decisions(known, count, rulebook_at(rules, i));
    for (int i = 0; i < o->name_count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < count && !is_known; k++)
            is_known = strcmp(known[k], o->names[i]) == 0;
        if (!is_known)
            return err_set(err, ERR_INPUT, "unknown decision '%s'%s", o->names[i],
                           text_hint(hint, sizeof(hint), o->names[i], known, count));
    }
    return OK;
}

void export_header(struct buf *out, const struct export_options *o)
{
    if (!o->as_ndjson)
        buf_str(out, "subject,decision,value\n");
}

/* RFC 4180: quotes only where they are needed. */
void export_text(struct buf *out, const char *s, size_t len)
{
    if (!memchr(s, ',', len) && !memchr(s, '"', len) && !memchr(s, '\n', len) &&
        !memchr(s, '\r', len)) {
        buf_add(out, s, len);
        return;
    }
    buf_char(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (s[i] == '"')
            buf_char(out, '"');
        buf_char(out, s[i]);
    }
    buf_char(out, '"');
}

void export_value(struct buf *out, const char *value, bool is_error)
{
    struct arena arena = { 0 };
    const struct json *json = NULL;

    if (is_error)
        buf_str(out, "error");
    if (is_error || strcmp(value, "null") == 0)
        return;
    size_t len = strlen(value);
    if (value[0] == '"' && !memchr(value, '\\', len))
        export_text(out, value + 1, len - 2); /* nothing in it is escaped */
    else if (value[0] == '"' && json_parse(&json, &arena, value, len, 2, NULL) == OK)
        export_text(out, json->as.string, json->len);
    else
        buf_str(out, value);
    arena_fini(&arena);
}

void export_row(struct buf *out, const struct export_options *o, const char *subject,
                const char *decision, const char *value, bool is_error)
{
    if (!is_wanted(o, decision))
        return;
    if (o->as_ndjson) {
        buf_str(out, "{\"subject\":");
        json_write_cstr(out, subject);
        buf_str(out, ",\"decision\":");
        json_write_cstr(out, decision);
        buf_printf(out, ",\"%s\":%s}\n", is_error ? "error" : "value", value);
        return;
    }
    buf_printf(out, "%s,%s,", subject, decision);
    export_value(out, value, is_error);
    buf_char(out, '\n');
}

struct rows {
    struct buf *out;
    const struct export_options *options;
    const char *subject;
};
struct exporting {
    struct world *world;
    const struct export_options *options;
};

static void write_judged(const struct judged *j, void *arg)
{
    struct rows *rows = arg;
    export_row(rows->out, rows->options, rows->subject, j->name, j->value, j->is_error);
}

static enum err_code export_subject(struct writer *w, const char *subject, void *arg,
                                    struct err *err)
{
    const struct exporting *x = arg;
    struct rows rows = { .out = &w->out, .options = x->options, .subject = subject };
    const struct entry *const *touching;
    size_t count;
    struct fold f = { 0 };

    if (world_touching(&touching, &count, x->world, subject, err) != OK)
        return err->code;
    if (count == 0 || touching[0]->key.time > x->options->at)
        return OK; /* nothing has happened to it yet */
    enum err_code rc = fold_subject(&f, w->rules, x->world, subject, x->options->at, err);
    if (rc == OK)
        rc = record_judge(f.record, x->options->at, write_judged, &rows, err);
    fold_fini(&f);
    return rc;
}

static enum err_code export_all(struct buf *out, struct pieces *p, const char *const *subjects,
                                size_t count, struct exporting *x, struct err *err)
{
    size_t len;

    enum err_code rc = pieces_write(p, x->world, subjects, count, export_subject, x, err);
    for (size_t i = 0; i < count && rc == OK; i++) {
        const char *piece = pieces_at(p, i, &len);
        buf_add(out, piece, len);
    }
    return rc;
}

enum err_code export_pieces(struct buf *out, struct world *w, struct pieces *pieces,
                            const struct export_options *options, struct err *err)
{
    size_t count;
    const char *const *names = world_subjects(w, &count);
    struct exporting x = { w, options };
    enum err_code rc = OK;

    if (!names)
        return err_set(err, ERR_LIMIT, "no memory to export the subjects");
    export_header(out, options);
    /* a part of them at a time: the text is not in memory twice */
    for (size_t i = 0; i < count && rc == OK; i += AT_A_TIME)
        rc = export_all(out, pieces, names + i, count - i < AT_A_TIME ? count - i : AT_A_TIME, &x,
                        err);
    return rc;
}

enum err_code export_world(struct buf *out, struct world *w, struct rulebook *rules,
                           const struct export_options *options, struct err *err)
{
    struct pieces *pieces = NULL;
    size_t count;

    enum err_code rc = export_check_names(rules, options, err);
    world_subjects(w, &count);
    if (rc == OK)
        rc = pieces_new(&pieces, rules, count, err);
    if (rc == OK)
        rc = export_pieces(out, w, pieces, options, err);
    pieces_free(pieces);
    return rc;
}
