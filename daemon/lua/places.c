/* places.c - see places.h. Reads just enough of Lua: strings, comments, what opens and what
 * closes. */
#include "lua/places.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

#define NESTED_MAX 200 /* what is deeper has no places */

enum token { END, NAME, STRING, OPEN, CLOSE, COMMA, EQUALS, OTHER };

struct lexer {
    const char *at;
    const char *end;
    int line;
    enum token token;
    const char *text; /* NAME, STRING: what stands there (of a string, between its quotes) */
    size_t len;
    int token_line;
};

/* What is open: a table, parentheses or brackets, or a block that ends with `end` or `until`. */
enum opened { TABLE, ROUND, BLOCK };
struct level {
    enum opened opened;
    size_t prefix; /* TABLE: bytes of the path of this table */
    size_t entry;  /* TABLE: bytes of the path of the entry at hand */
    int number;    /* TABLE: of the last entry without a name */
    int table;     /* TABLE: no other has its number */
    bool is_start; /* TABLE: an entry begins here */
};

struct finder {
    struct places *places;
    struct lexer lex;
    struct buf path;
    struct level levels[NESTED_MAX];
    int depth;
    bool failed;
};

/* ---- tokens ---- */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The level of a long bracket [==[ at `s`, or -1. */
static int long_bracket(const char *s, const char *end)
{
    int level = 0;

    for (s++; s < end && *s == '='; s++)
        level++;
    return s < end && *s == '[' ? level : -1;
}

static void skip_long(struct lexer *l, int level)
{
    for (l->at += level + 2; l->at < l->end; l->at++) {
        l->line += *l->at == '\n';
        if (*l->at != ']')
            continue;
        const char *p = l->at + 1;
        while (p < l->end && *p == '=')
            p++;
        if (p < l->end && *p == ']' && p - l->at - 1 == level) {
            l->at = p + 1;
            return;
        }
    }
}

static void skip_comment(struct lexer *l)
{
    l->at += 2;
    int level = l->at < l->end && *l->at == '[' ? long_bracket(l->at, l->end) : -1;

    if (level >= 0) {
        skip_long(l, level);
        return;
    }
    while (l->at < l->end && *l->at != '\n')
        l->at++;
}

static void skip_space(struct lexer *l)
{
    while (l->at < l->end) {
        if (*l->at == '-' && l->at + 1 < l->end && l->at[1] == '-') {
            skip_comment(l);
        } else if (strchr(" \t\r\n\f\v", *l->at) && *l->at) {
            l->line += *l->at == '\n';
            l->at++;
        } else {
            return;
        }
    }
}

static void read_string(struct lexer *l)
{
    char quote = *l->at++;

    l->text = l->at;
    for (; l->at < l->end && *l->at != quote && *l->at != '\n'; l->at++) {
        if (*l->at == '\\' && l->at + 1 < l->end)
            l->line += *++l->at == '\n';
    }
    l->len = (size_t)(l->at - l->text);
    if (l->at < l->end)
        l->at++;
    l->token = STRING;
}

static void read_symbol(struct lexer *l)
{
    char c = *l->at;
    char next = l->at + 1 < l->end ? l->at[1] : '\0';

    if (c == '[' && long_bracket(l->at, l->end) >= 0) {
        skip_long(l, long_bracket(l->at, l->end));
        l->token = OTHER;
        return;
    }
    bool is_two = next == '=' && strchr("=~<>", c);
    l->text = l->at;
    l->len = is_two ? 2 : 1;
    l->at += l->len;
    l->token = strchr("{([", c)          ? OPEN
               : strchr("})]", c)        ? CLOSE
               : strchr(",;", c)         ? COMMA
               : c == '=' && next != '=' ? EQUALS
                                         : OTHER;
}

static void next_token(struct lexer *l)
{
    skip_space(l);
    l->token_line = l->line;
    if (l->at >= l->end) {
        l->token = END;
    } else if (is_name_char(*l->at)) {
        l->text = l->at;
        while (l->at < l->end && is_name_char(*l->at))
            l->at++;
        l->len = (size_t)(l->at - l->text);
        l->token = NAME;
    } else if (*l->at == '"' || *l->at == '\'') {
        read_string(l);
    } else {
        read_symbol(l);
    }
}

static bool is_word(const struct lexer *l, const char *word)
{
    return l->token == NAME && l->len == strlen(word) && memcmp(l->text, word, l->len) == 0;
}

/* ---- entries ---- */

static struct level *top(struct finder *f)
{
    return f->depth > 0 ? &f->levels[f->depth - 1] : NULL;
}

/* The table at hand, also from inside the parentheses of pack({ ... }) or once(function ...). */
static struct level *table_around(struct finder *f)
{
    for (int i = f->depth; i-- > 0;)
        if (f->levels[i].opened == TABLE)
            return &f->levels[i];
    return NULL;
}

static void open_level(struct finder *f, enum opened opened, const char *file)
{
    struct level *around = table_around(f);

    if (f->depth == NESTED_MAX) {
        f->failed = true;
        return;
    }
    size_t prefix = around ? around->entry : strlen(file);
    f->levels[f->depth++] = (struct level){ .opened = opened,
                                            .prefix = prefix,
                                            .entry = prefix,
                                            .table = f->places->tables++,
                                            .is_start = opened == TABLE };
}

static void close_level(struct finder *f)
{
    if (f->depth > 0)
        f->depth--;
}

/* Of two entries of one table with the same name Lua keeps the last and says nothing. */
static bool note_twice(struct finder *f, const struct level *t, const char *key, size_t len,
                       int line)
{
    struct places *p = f->places;
    struct buf name = { 0 };
    bool is_new = true;

    buf_printf(&name, "%d\n%.*s", t->table, (int)len, key);
    char *copy = name.failed ? NULL : arena_copy(&p->arena, buf_cstr(&name), name.len);
    struct strmap_item *item = copy ? strmap_add(&p->keys, copy, name.len, &is_new) : NULL;
    buf_fini(&name);
    if (!item || is_new)
        return item != NULL;
    char *path = arena_copy(&p->arena, buf_cstr(&f->path), f->path.len);
    item = path ? strmap_add(&p->twice, path, f->path.len, &is_new) : NULL;
    if (item && is_new)
        item->as.num = line;
    return item != NULL;
}

/* Remember the line of an entry; what is written twice counts where it stands first. */
static void note(struct finder *f, struct level *t, const char *key, size_t len, int line)
{
    bool is_new;

    f->path.len = t->prefix;
    buf_char(&f->path, '\n');
    buf_add(&f->path, key, len);
    t->entry = f->path.len;
    t->is_start = false;
    char *copy = arena_copy(&f->places->arena, buf_cstr(&f->path), f->path.len);
    struct strmap_item *item =
        copy ? strmap_add(&f->places->lines, copy, f->path.len, &is_new) : NULL;
    if (!item || f->path.failed || !note_twice(f, t, key, len, line))
        f->failed = true;
    else if (is_new)
        item->as.num = (int64_t)++f->places->entries << 32 | line;
}

/* At the start of an entry: `name =`, `["name"] =`, or a value without a name. The tokens of a name
 * are read; of a value, none. */
static void read_entry(struct finder *f)
{
    struct level *t = top(f);
    struct lexer saved = f->lex;
    struct lexer *l = &f->lex;
    char number[16];
    bool is_bracket = l->token == OPEN && *l->text == '[';

    if (is_bracket)
        next_token(l);
    struct lexer key = *l;
    bool is_key = is_bracket ? key.token == STRING : key.token == NAME;
    next_token(l);
    if (is_bracket && l->token == CLOSE)
        next_token(l);
    if (is_key && l->token == EQUALS) {
        note(f, t, key.text, key.len, saved.token_line);
        next_token(l);
        return;
    }
    *l = saved;
    int len = snprintf(number, sizeof(number), "#%d", ++t->number);
    note(f, t, number, (size_t)len, saved.token_line);
}

static void take_token(struct finder *f, const char *file)
{
    struct lexer *l = &f->lex;
    struct level *t = top(f);

    if (l->token == OPEN)
        open_level(f, *l->text == '{' ? TABLE : ROUND, file);
    else if (is_word(l, "function") || is_word(l, "do") || is_word(l, "if") || is_word(l, "repeat"))
        open_level(f, BLOCK, file);
    else if (l->token == CLOSE || is_word(l, "end") || is_word(l, "until"))
        close_level(f);
    else if (l->token == COMMA && t && t->opened == TABLE)
        t->is_start = true;
}

bool places_read(struct places *p, const char *file, const char *text, size_t len)
{
    struct finder f = { .places = p, .lex = { .at = text, .end = text + len, .line = 1 } };

    buf_str(&f.path, file);
    for (next_token(&f.lex); f.lex.token != END && !f.failed; next_token(&f.lex)) {
        struct level *t = top(&f);
        if (t && t->opened == TABLE && t->is_start && f.lex.token != CLOSE)
            read_entry(&f);
        if (f.lex.token == END)
            break;
        take_token(&f, file);
    }
    bool has_memory = !f.path.failed;
    buf_fini(&f.path);
    return has_memory;
}

static int64_t find(const struct strmap *map, const char *file, const char *const *path, int depth)
{
    const struct strmap_item *item = NULL;

    for (int first = 0; first < depth && !item; first++) {
        struct buf key = { 0 };
        buf_str(&key, file);
        for (int i = first; i < depth; i++)
            buf_printf(&key, "\n%s", path[i]);
        if (!key.failed)
            item = strmap_find(map, buf_cstr(&key), key.len);
        buf_fini(&key);
    }
    return item ? item->as.num : 0;
}

int places_line(const struct places *p, const char *file, const char *const *path, int depth)
{
    return (int)(find(&p->lines, file, path, depth) & 0xffffffff);
}

int places_order(const struct places *p, const char *file, const char *const *path, int depth)
{
    return (int)(find(&p->lines, file, path, depth) >> 32);
}

int places_twice(const struct places *p, const char *file, const char *const *path, int depth)
{
    return (int)find(&p->twice, file, path, depth);
}

void places_fini(struct places *p)
{
    strmap_fini(&p->keys);
    strmap_fini(&p->twice);
    strmap_fini(&p->lines);
    arena_fini(&p->arena);
}
