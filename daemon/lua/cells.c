/* cells.c - see cells.h. Nothing here raises. */
#include "lua/cells.h"

#include <string.h>

#include <lauxlib.h>

#define FIRST_BUCKETS 1024u
#define GRAVES_KEPT   1024
#define ROOM_MAX      60u /* the largest code of room: see room_of() */

static void *take(struct cells *c, size_t size)
{
    return sandbox_realloc(c->sandbox, NULL, 0, size);
}

static void give(struct cells *c, void *p, size_t size)
{
    sandbox_realloc(c->sandbox, p, size, 0);
}

void cells_init(struct cells *c, struct sandbox *sandbox)
{
    *c = (struct cells){ .sandbox = sandbox };
}

/* ---- texts ---- */

/* Eight bytes at a step. The same in every run: nothing depends on it but speed. */
uint32_t text_hash(const char *bytes, size_t len)
{
    static const uint64_t MIX = 0x9e3779b97f4a7c15u;
    uint64_t h = len * MIX;

    while (len >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        h = (h ^ word) * MIX;
        h ^= h >> 29;
        bytes += sizeof(word);
        len -= sizeof(word);
    }
    uint64_t rest = 0;
    if (len >= sizeof(uint32_t)) { /* two words that may overlap */
        uint32_t first, last;
        memcpy(&first, bytes, sizeof(first));
        memcpy(&last, bytes + len - sizeof(last), sizeof(last));
        rest = (uint64_t)first << 32 | last;
    } else {
        for (size_t i = 0; i < len; i++)
            rest = rest << 8 | (unsigned char)bytes[i];
    }
    h = (h ^ rest) * MIX;
    return (uint32_t)(h >> 32);
}

static size_t text_size(size_t len)
{
    return sizeof(struct text) + len + 1;
}

struct text *text_find(const struct cells *c, const char *bytes, size_t len, uint32_t hash)
{
    if (c->bucket_count == 0)
        return NULL;
    struct text *t = c->buckets[hash & (c->bucket_count - 1)];
    while (t && !(t->hash == hash && t->len == len && memcmp(t->bytes, bytes, len) == 0))
        t = t->next;
    return t;
}

static bool grow_buckets(struct cells *c)
{
    uint32_t count = c->bucket_count ? c->bucket_count * 2 : FIRST_BUCKETS;
    struct text **buckets = take(c, count * sizeof(struct text *));

    if (!buckets)
        return false;
    memset(buckets, 0, count * sizeof(struct text *));
    for (uint32_t i = 0; i < c->bucket_count; i++) {
        for (struct text *t = c->buckets[i], *next; t; t = next) {
            next = t->next;
            t->next = buckets[t->hash & (count - 1)];
            buckets[t->hash & (count - 1)] = t;
        }
    }
    give(c, c->buckets, c->bucket_count * sizeof(struct text *));
    c->buckets = buckets;
    c->bucket_count = count;
    return true;
}

struct text *text_add(struct cells *c, const char *bytes, size_t len, uint32_t hash)
{
    struct text *t;

    if (len > UINT32_MAX - 64 || (c->text_count >= c->bucket_count && !grow_buckets(c)))
        return NULL;
    t = take(c, text_size(len));
    if (!t)
        return NULL;
    *t = (struct text){ .refs = 1, .hash = hash, .len = (uint32_t)len, .ref = LUA_NOREF };
    memcpy(t->bytes, bytes, len);
    t->bytes[len] = '\0';
    struct text **bucket = &c->buckets[hash & (c->bucket_count - 1)];
    t->next = *bucket;
    *bucket = t;
    c->text_count++;
    return t;
}

struct text *text_hold(struct cells *c, const char *bytes, size_t len, uint32_t hash)
{
    struct text *t = text_find(c, bytes, len, hash);

    if (!t)
        return text_add(c, bytes, len, hash);
    t->refs++;
    return t;
}

static void text_release(struct cells *c, struct text *t)
{
    struct text **at = &c->buckets[t->hash & (c->bucket_count - 1)];

    if (--t->refs > 0)
        return;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    c->text_count--;
    if (t->ref != LUA_NOREF) {
        luaL_unref(c->sandbox->L, LUA_REGISTRYINDEX, t->ref);
        c->string_count--;
    }
    give(c, t, text_size(t->len));
}

void cells_fini(struct cells *c)
{
    graves_clear(c);
    for (uint32_t i = 0; i < c->bucket_count; i++) {
        for (struct text *t = c->buckets[i], *next; t; t = next) {
            next = t->next;
            give(c, t, text_size(t->len));
        }
    }
    give(c, c->buckets, c->bucket_count * sizeof(struct text *));
    give(c, c->graves, c->grave_cap * sizeof(*c->graves));
    *c = (struct cells){ 0 };
}

/* ---- numbers ---- */

static bool cell_of_wide(struct cell *out, struct cells *c, const struct wide *value)
{
    struct wide *w = take(c, sizeof(*w));

    if (!w)
        return false;
    *w = *value;
    w->refs = 1;
    *out = (struct cell){ (uint64_t)(uintptr_t)w | CELL_WIDE };
    return true;
}

bool cell_of_integer(struct cell *out, struct cells *c, int64_t value)
{
    return cell_of_small(out, value) || cell_of_wide(out, c, &(struct wide){ .as.integer = value });
}

bool cell_of_real(struct cell *out, struct cells *c, double value)
{
    return cell_of_wide(out, c, &(struct wide){ .is_real = true, .as.real = value });
}

bool cell_is_integer(struct cell c)
{
    return cell_tag(c) == CELL_INT || (cell_tag(c) == CELL_WIDE && !cell_wide(c)->is_real);
}

int64_t cell_integer(struct cell c)
{
    return cell_tag(c) == CELL_INT ? (int64_t)c.bits >> 3 : cell_wide(c)->as.integer;
}

double cell_real(struct cell c)
{
    return cell_is_integer(c) ? (double)cell_integer(c) : cell_wide(c)->as.real;
}

static bool is_number(struct cell c)
{
    return cell_tag(c) == CELL_INT || cell_tag(c) == CELL_WIDE;
}

/* ---- comparing, sharing, letting go ---- */

static int text_order(const struct text *x, const struct text *y)
{
    int order = memcmp(x->bytes, y->bytes, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

int cell_order(struct cell a, struct cell b)
{
    if (a.bits == b.bits)
        return 0;
    if (cell_tag(a) == CELL_TEXT && cell_tag(b) == CELL_TEXT)
        return text_order(cell_text(a), cell_text(b));
    if (is_number(a) && is_number(b)) {
        if (cell_is_integer(a) && cell_is_integer(b))
            return (cell_integer(a) > cell_integer(b)) - (cell_integer(a) < cell_integer(b));
        /* A real key is no whole number, so it lies where integers convert exactly. */
        return (cell_real(a) > cell_real(b)) - (cell_real(a) < cell_real(b));
    }
    return (cell_tag(a) > cell_tag(b)) - (cell_tag(a) < cell_tag(b));
}

bool cell_equal(struct cell a, struct cell b)
{
    if (a.bits == b.bits)
        return true;
    if (!is_number(a) || !is_number(b))
        return false; /* equal texts are the same text, and a node is only itself */
    if (cell_is_integer(a) && cell_is_integer(b))
        return cell_integer(a) == cell_integer(b);
    double x = cell_real(a), y = cell_real(b);
    if (!(x >= y && x <= y))
        return false;
    if (!cell_is_integer(a) && !cell_is_integer(b))
        return true;
    /* An integer that does not convert exactly equals no real. */
    int64_t whole = cell_is_integer(a) ? cell_integer(a) : cell_integer(b);
    return x < 9223372036854775808.0 && (int64_t)x == whole;
}

struct cell cell_share(struct cell c)
{
    if (cell_tag(c) == CELL_TEXT)
        cell_text(c)->refs++;
    else if (cell_tag(c) == CELL_WIDE)
        cell_wide(c)->refs++;
    return c;
}

static size_t node_size(const struct node *n)
{
    return sizeof(*n) + node_room(n) * sizeof(n->cells[0]);
}

static void node_release(struct cells *c, struct node *n)
{
    for (uint32_t i = 0; n->state == NODE_GOOD && i < n->used; i++)
        cell_release(c, n->cells[i]);
    if (n->handle)
        c->forget(c, n);
    give(c, n, node_size(n));
}

void cell_release(struct cells *c, struct cell cell)
{
    switch (cell_tag(cell)) {
    case CELL_TEXT:
        text_release(c, cell_text(cell));
        break;
    case CELL_WIDE:
        if (--cell_wide(cell)->refs == 0)
            give(c, cell_wide(cell), sizeof(struct wide));
        break;
    case CELL_NODE:
        node_release(c, cell_node(cell));
        break;
    case CELL_NIL:
    case CELL_BOOL:
    case CELL_INT:
        break;
    }
}

/* ---- nodes ---- */

/* 2, 4, 6, 8, then 12, 16, 24, 32, 48, 64 ...: with its head a small node fills what malloc()
 * gives. */
static uint32_t room_of(uint32_t code)
{
    if (code < 4)
        return (code + 1) * 2;
    return (code % 2 == 0 ? 12u : 16u) << ((code - 4) / 2);
}

uint32_t node_room(const struct node *n)
{
    return room_of(n->room);
}

struct node *node_new(struct cells *c, uint32_t cells)
{
    uint32_t code = 0;

    while (code < ROOM_MAX && room_of(code) < cells)
        code++;
    if (room_of(code) < cells)
        return NULL;
    struct node *n = take(c, sizeof(*n) + room_of(code) * sizeof(n->cells[0]));
    if (n)
        *n = (struct node){ .room = code & 63 };
    return n;
}

bool cell_copy(struct cell *out, struct cells *c, struct cell from)
{
    const struct node *n = cell_node(from);
    struct node *copy = n ? node_new(c, n->used) : NULL;

    *out = n ? cell_of_node(copy) : cell_share(from);
    if (!n || !copy)
        return n == NULL;
    for (uint32_t i = 0; i < n->used; i++, copy->used++) {
        if (cell_copy(&copy->cells[i], c, n->cells[i]))
            continue;
        node_release(c, copy);
        return false;
    }
    return true;
}

struct node *node_grow(struct cells *c, struct node *n, uint32_t more)
{
    if (n->used > UINT32_MAX - more || !graves_dig(c, 1))
        return NULL;
    struct node *grown = node_new(c, n->used + more);
    if (!grown)
        return NULL;
    grown->used = n->used;
    memcpy(grown->cells, n->cells, n->used * sizeof(n->cells[0]));
    grown->handle = n->handle;
    n->handle = 0;
    n->state = NODE_MOVED;
    n->cells[0] = cell_of_node(grown);
    graves_bury(c, cell_of_node(n));
    return grown;
}

struct node *node_now(struct node *n)
{
    while (n && n->state == NODE_MOVED)
        n = cell_node(n->cells[0]);
    return n;
}

#define FEW_CELLS 16 /* among so many it is quicker to look at each */

bool node_seek(uint32_t *at, const struct node *n, uint32_t width, struct cell key)
{
    if (!n || n->used > FEW_CELLS || cell_tag(key) == CELL_WIDE)
        return node_find(at, n, width, key);
    for (uint32_t i = 0; i < n->used; i += width) {
        if (n->cells[i].bits == key.bits) {
            *at = i;
            return true;
        }
    }
    return false;
}

bool node_find(uint32_t *at, const struct node *n, uint32_t width, struct cell key)
{
    uint32_t low = 0, high = n ? n->used / width : 0;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = cell_order(n->cells[middle * width], key);
        if (order == 0) {
            *at = middle * width;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low * width;
    return false;
}

void node_open(struct node *n, uint32_t at, uint32_t width)
{
    memmove(&n->cells[at + width], &n->cells[at], (n->used - at) * sizeof(n->cells[0]));
    n->used += width;
}

void node_close(struct node *n, uint32_t at, uint32_t width)
{
    n->used -= width;
    memmove(&n->cells[at], &n->cells[at + width], (n->used - at) * sizeof(n->cells[0]));
}

/* ---- graves ---- */

bool graves_dig(struct cells *c, size_t more)
{
    if (c->grave_cap - c->grave_count >= more)
        return true;
    size_t cap = c->grave_cap ? c->grave_cap * 2 : 64;
    while (cap - c->grave_count < more)
        cap *= 2;
    struct cell *graves = sandbox_realloc(c->sandbox, c->graves, c->grave_cap * sizeof(*graves),
                                          cap * sizeof(*graves));
    if (!graves)
        return false;
    c->graves = graves;
    c->grave_cap = cap;
    return true;
}

size_t graves_bury(struct cells *c, struct cell cell)
{
    struct node *n = cell_node(cell);

    if (n && n->is_buried)
        cell = (struct cell){ 0 };
    else if (n)
        n->is_buried = true;
    c->graves[c->grave_count] = cell;
    return c->grave_count++;
}

struct cell graves_raise(struct cells *c, size_t grave, struct cell other)
{
    struct cell cell = c->graves[grave];

    if (cell_node(cell))
        cell_node(cell)->is_buried = false;
    if (cell_node(other))
        cell_node(other)->is_buried = true;
    c->graves[grave] = other;
    if (cell_is_nil(other) && grave + 1 == c->grave_count)
        c->grave_count--;
    return cell;
}

void graves_clear(struct cells *c)
{
    while (c->grave_count > 0)
        cell_release(c, c->graves[--c->grave_count]);
    if (c->grave_cap > GRAVES_KEPT) {
        give(c, c->graves, c->grave_cap * sizeof(*c->graves));
        c->graves = NULL;
        c->grave_cap = 0;
    }
}
