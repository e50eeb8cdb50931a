/* touch.c - see touch.h. */
#include "store/touch.h"

#include <stdlib.h>

#include "store/internal.h"

static bool take_number(int64_t *out, const char **at)
{
    char *end;

    if (**at != '[' && **at != ',')
        return false;
    *out = strtoll(*at + 1, &end, 10);
    bool found = end != *at + 1;
    *at = end;
    return found;
}

bool touch_next(struct touch *out, const char **at)
{
    return *at && take_number(&out->subject, at) && take_number(&out->prev, at);
}

static void add_number(struct buf *b, char before, int64_t n)
{
    char digits[24], *at = digits + sizeof(digits);
    uint64_t rest = (uint64_t)n;

    do {
        *--at = (char)('0' + rest % 10);
    } while (rest /= 10);
    *--at = before;
    buf_add(b, at, (size_t)(digits + sizeof(digits) - at));
}

void touch_add(struct buf *b, const struct touch *touch)
{
    add_number(b, b->len > 0 ? ',' : '[', touch->subject);
    add_number(b, ',', touch->prev);
}

void touch_end(struct buf *b)
{
    buf_str(b, b->len > 0 ? "]" : "[]");
}

enum err_code touches_load_heads(struct store *s, int64_t seq, struct err *err)
{
    static const char SQL[] = "SELECT seq, touches FROM event_row WHERE seq > ?1 ORDER BY seq";
    struct dict_entry *entry;
    struct subject_row *unsaved;
    struct touch touch;
    sqlite3_stmt *st;
    bool row;

    enum err_code rc = stmt_get(&st, s, SQL, err);
    if (rc != OK)
        return rc;
    sqlite3_bind_int64(st, 1, seq);
    while ((rc = stmt_row(&row, s, st, "read what events touch", err)) == OK && row) {
        const char *at = column_text(st, 1);
        s->heads_upto = sqlite3_column_int64(st, 0);
        while (rc == OK && touch_next(&touch, &at)) {
            rc = dict_entry_of(&entry, s, DICT_SUBJECT, touch.subject, err);
            if (rc == OK && s->mode != STORE_READ)
                rc = behind_change(&unsaved, s, entry, err);
            if (rc == OK)
                entry->head = s->heads_upto;
        }
        if (rc != OK)
            break;
    }
    stmt_done(st);
    return rc;
}
