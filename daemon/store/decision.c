/* decision.c - see derived.h. Current decisions, the cards of subjects, and what was left for
 * later. */
#include <stdlib.h>
#include <string.h>

#include "store/derived.h"
#include "store/internal.h"

enum err_code decisions_put(struct store *s, const char *subject, const char *names,
                            const char *values, struct err *err)
{
    struct dict_entry *who;
    struct subject_row *row;

    enum err_code rc = dict_intern(&who, s, DICT_SUBJECT, subject, err);
    if (rc == OK &&
        (!s->layout || strcmp(s->layout->text, names) != 0)) /* nearly always the same */
        rc = dict_intern(&s->layout, s, DICT_LAYOUT, names, err);
    if (rc == OK)
        rc = behind_change(&row, s, who, err);
    if (rc == OK)
        rc = behind_text(&row->decisions, s, values, err);
    if (rc != OK)
        return rc;
    row->layout = s->layout->id;
    row->has_decisions = true;
    return OK;
}

static enum err_code stored_decisions(const char **names, const char **values, struct store *s,
                                      int64_t subject, struct err *err)
{
    static const char SQL[] = "SELECT layout, decisions FROM subject_row WHERE id = ?1";
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, subject);
    rc = stmt_row(&row, s, st, "read decisions", err);
    if (rc == OK && row && sqlite3_column_type(st, 1) != SQLITE_NULL) {
        rc = dict_text(names, s, DICT_LAYOUT, sqlite3_column_int64(st, 0), err);
        free(s->decisions); /* borrowed by the caller until now */
        *values = s->decisions = strdup(column_text(st, 1));
        if (rc == OK && !*values)
            rc = store_no_memory(s, "read decisions", err);
    }
    stmt_done(st);
    return rc;
}

enum err_code decisions_of(const char **names, const char **values, struct store *s,
                           const char *subject, struct err *err)
{
    struct dict_entry *who;

    *names = *values = NULL;
    enum err_code rc = dict_find(&who, s, DICT_SUBJECT, subject, err);
    if (rc != OK || !who)
        return rc;
    if (who->row && who->row->has_decisions) {
        *values = who->row->decisions;
        return dict_text(names, s, DICT_LAYOUT, who->row->layout, err);
    }
    return who->is_stored ? stored_decisions(names, values, s, who->id, err) : OK;
}

/* The next item of an array: *at moves behind it. False: it was the last. */
static bool next_item(struct slice *item, const char **at)
{
    const char *end = *at;

    if (*end == ']' || *end == '\0')
        return false;
    /* A line end stands nowhere else; behind the last item is the bracket. */
    while (*end && *end != '\n')
        end++;
    *item = (struct slice){ *at, (size_t)(end - *at) - 1 };
    *at = *end ? end + 1 : end - 1;
    return true;
}

enum err_code decisions_each(const char *names, const char *values, decision_fn *fn, void *arg,
                             struct err *err)
{
    struct slice name, value;
    enum err_code rc = OK;

    if (!names || !values)
        return OK;
    names++;
    values++;
    while (rc == OK && next_item(&name, &names) && next_item(&value, &values))
        rc = fn((struct slice){ name.at + 1, name.len - 2 }, value, arg, err); /* without quotes */
    return rc;
}

enum err_code subject_put(struct store *s, const struct subject_card *card, struct err *err)
{
    struct dict_entry *who;
    struct subject_row *row;

    enum err_code rc = dict_intern(&who, s, DICT_SUBJECT, card->subject, err);
    if (rc == OK)
        rc = behind_change(&row, s, who, err);
    if (rc == OK)
        rc = behind_text(&row->name, s, card->name, err);
    if (rc == OK)
        rc = behind_text(&row->hub, s, card->hub, err);
    if (rc == OK)
        rc = behind_text(&row->former, s, card->former, err);
    if (rc == OK)
        row->has_card = true;
    return rc;
}

enum err_code subject_hub_kept(char **out, struct store *s, const char *subject, struct err *err)
{
    static const char SQL[] = "SELECT hub FROM subject_row WHERE id = ?1";
    struct dict_entry *who;
    sqlite3_stmt *st = NULL;
    bool row = false, is_known;

    *out = NULL;
    enum err_code rc = dict_find(&who, s, DICT_SUBJECT, subject, err);
    if (rc != OK || !who)
        return rc;
    const char *hub = who->row && who->row->has_card ? who->row->hub : NULL;
    if (!(who->row && who->row->has_card) && who->is_stored) {
        rc = stmt_get(&st, s, SQL, err);
        if (rc != OK)
            return rc;
        sqlite3_bind_int64(st, 1, who->id);
        rc = stmt_row(&row, s, st, "read a subject's hub", err);
        hub = rc == OK && row ? column_text(st, 0) : NULL;
    }
    is_known = hub != NULL;
    *out = hub ? strdup(hub) : NULL;
    if (rc == OK && row)
        stmt_done(st);
    return rc == OK && is_known && !*out ? store_no_memory(s, "read a subject's hub", err) : rc;
}

struct derived_mark derived_mark(const struct store *s)
{
    return (struct derived_mark){ s->watermark.commit, s->watermark.seq, s->watermark.feed,
                                  s->watermark.is_whole };
}
