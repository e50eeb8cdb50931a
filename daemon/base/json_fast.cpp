/*
 * json_fast.cpp - see json_roads.h. Simdjson parses; its tape becomes our tree in one pass.
 *
 * The tape is described in simdjson's doc/tape.md: words in the order of the text, the topmost byte
 * of each its kind. What simdjson takes and json.h does not promise is left to the strict road:
 * names that occur twice or hold a NUL, integers beyond int64, too many levels.
 */
#include "base/json_roads.h"

#include <cstring>
#include <memory>
#include <new>

#include <simdjson.h>

namespace
{

constexpr size_t KEPT_BYTES = 512 * 1024; /* a thread keeps what parsing so much needs */
constexpr size_t FEW_MEMBERS = 64;        /* so many names are compared with each other */
constexpr int KIND_SHIFT = 56;
constexpr int COUNT_SHIFT = 32;
constexpr uint64_t PAYLOAD = (uint64_t{ 1 } << KIND_SHIFT) - 1;
constexpr size_t COUNT_MAX = 0xffffff; /* simdjson counts items no further */

struct builder {
    struct arena *arena;
    const uint64_t *tape; /* the next word */
    const char *from;     /* all strings, as simdjson holds them: length, bytes, NUL */
    char *to;             /* where they will stand in the arena, in the same way */
    size_t used;          /* bytes of them so far */
    int max_depth;
    bool has_escapes; /* without them no name can hold a NUL */
};

bool build(struct json *out, uint64_t word, int depth, struct builder *b);

/* The bytes of a string as simdjson holds it, and their count. */
inline const char *text_of(uint64_t word, uint32_t *len, const struct builder *b)
{
    const char *record = b->from + (word & PAYLOAD);

    memcpy(len, record, sizeof(*len));
    return record + sizeof(*len);
}

/* Where it will stand. */
inline const char *place(const char *text, uint32_t len, struct builder *b)
{
    size_t at = static_cast<size_t>(text - b->from);

    b->used = at + len + 1;
    return b->to + at;
}

inline bool is_string(uint64_t word)
{
    return word >> KIND_SHIFT == '"';
}

inline void build_string(struct json *out, uint64_t word, struct builder *b)
{
    const char *text = text_of(word, &out->len, b);

    out->type = JSON_STRING;
    out->as.string = place(text, out->len, b);
}

/* Equal for equal names, and hardly ever for others. */
inline uint64_t print_of(const char *text, uint32_t len)
{
    uint32_t first = 0, last = 0;

    if (len >= sizeof(first)) {
        memcpy(&first, text, sizeof(first));
        memcpy(&last, text + len - sizeof(last), sizeof(last));
    } else {
        for (uint32_t i = 0; i < len; i++)
            first = first << 8 | static_cast<unsigned char>(text[i]);
    }
    return (static_cast<uint64_t>(last) << 32 | first) + len;
}

/* Read the name of items[n]; false when only the strict road can judge it. */
inline bool build_name(struct json items[], uint64_t prints[], size_t n, struct builder *b)
{
    uint32_t len;
    const char *text = text_of(*b->tape++, &len, b);
    uint64_t print = print_of(text, len);

    if (b->has_escapes && memchr(text, '\0', len))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (prints[i] == print && strcmp(b->from + (items[i].name - b->to), text) == 0)
            return false;
    }
    prints[n] = print;
    items[n].name = place(text, len, b);
    return true;
}

struct json *new_items(struct json *out, enum json_type type, size_t count, struct arena *arena)
{
    auto *items = static_cast<struct json *>(arena_room(arena, count * sizeof(struct json)));

    out->type = type;
    out->len = static_cast<uint32_t>(count);
    out->as.first = count > 0 ? items : nullptr;
    return items;
}

bool build_object(struct json *out, size_t count, int depth, struct builder *b)
{
    uint64_t prints[FEW_MEMBERS];

    if (depth > b->max_depth || count > FEW_MEMBERS)
        return false;
    struct json *items = new_items(out, JSON_OBJECT, count, b->arena);
    if (!items)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct json *item = &items[i];
        if (!build_name(items, prints, i, b))
            return false;
        item->next = i + 1 < count ? item + 1 : nullptr;
        uint64_t word = *b->tape++;
        if (is_string(word)) /* most are */
            build_string(item, word, b);
        else if (!build(item, word, depth + 1, b))
            return false;
    }
    b->tape++; /* the word that ends it */
    return true;
}

bool build_array(struct json *out, size_t count, int depth, struct builder *b)
{
    if (depth > b->max_depth || count >= COUNT_MAX)
        return false;
    struct json *items = new_items(out, JSON_ARRAY, count, b->arena);
    if (!items)
        return false;
    for (size_t i = 0; i < count; i++) {
        items[i].name = nullptr;
        items[i].next = i + 1 < count ? &items[i + 1] : nullptr;
        if (!build(&items[i], *b->tape++, depth + 1, b))
            return false;
    }
    b->tape++;
    return true;
}

/* Fill in all of `out` but its name and next. */
bool build(struct json *out, uint64_t word, int depth, struct builder *b)
{
    double real;

    switch (static_cast<char>(word >> KIND_SHIFT)) {
    case '{':
        return build_object(out, (word >> COUNT_SHIFT) & COUNT_MAX, depth, b);
    case '[':
        return build_array(out, (word >> COUNT_SHIFT) & COUNT_MAX, depth, b);
    case '"':
        build_string(out, word, b);
        return true;
    case 'l':
        out->type = JSON_INT;
        out->len = 0;
        memcpy(&out->as.integer, b->tape++, sizeof(out->as.integer));
        return true;
    case 'd':
        memcpy(&real, b->tape++, sizeof(real));
        json_set_real(out, real);
        return true;
    case 't':
    case 'f':
        out->type = JSON_BOOL;
        out->len = 0;
        out->as.boolean = static_cast<char>(word >> KIND_SHIFT) == 't';
        return true;
    case 'n':
        out->type = JSON_NULL;
        out->len = 0;
        return true;
    default: /* 'u', an integer beyond int64, or what a later simdjson knows */
        return false;
    }
}

/* What a thread parses with, kept from one text to the next. */
struct reader {
    simdjson::dom::parser parser;
    std::unique_ptr<char[]> text; /* a copy: simdjson reads some bytes beyond the end */
    size_t text_size = 0;

    const char *padded(const char *bytes, size_t len)
    {
        size_t need = len + simdjson::SIMDJSON_PADDING;

        if (need > text_size) {
            text.reset(new (std::nothrow) char[2 * need]);
            text_size = text ? 2 * need : 0;
        }
        if (!text)
            return nullptr;
        memset(text.get() + len, ' ', simdjson::SIMDJSON_PADDING);
        return static_cast<const char *>(memcpy(text.get(), bytes, len));
    }
};

const struct json *read_tree(struct reader *r, struct arena *arena, const char *bytes, size_t len,
                             int max_depth)
{
    const char *text = r->padded(bytes, len);

    if (!text || r->parser.parse(text, len, false).error() != simdjson::SUCCESS)
        return nullptr;
    const simdjson::dom::document &doc = r->parser.doc;
    size_t room = len / 3 * 5 + 8; /* a string's two quotes and separator become five bytes */
    struct builder b = {};
    b.arena = arena;
    b.tape = doc.tape.get() + 1; /* behind the root */
    b.from = reinterpret_cast<const char *>(doc.string_buf.get());
    b.to = static_cast<char *>(arena_room(arena, room));
    b.max_depth = max_depth;
    b.has_escapes = memchr(bytes, '\\', len) != nullptr;
    auto *out = static_cast<struct json *>(arena_room(arena, sizeof(struct json)));
    if (!b.to || !out)
        return nullptr;
    out->name = nullptr;
    out->next = nullptr;
    if (!build(out, *b.tape++, 1, &b) || b.used > room)
        return nullptr;
    memcpy(b.to, b.from, b.used);
    return out;
}

} // namespace

const struct json *json_fast(struct arena *arena, const char *bytes, size_t len, int max_depth)
{
    static thread_local struct reader kept;

    if (len == 0 || bytes[0] == '\xef') /* a later simdjson skips a byte order mark */
        return nullptr;
    if (len <= KEPT_BYTES)
        return read_tree(&kept, arena, bytes, len, max_depth);
    struct reader once;
    return read_tree(&once, arena, bytes, len, max_depth);
}

bool json_is_well_formed(const char *bytes, size_t len)
{
    struct reader once;
    const char *text = len > 0 && bytes[0] != '\xef' ? once.padded(bytes, len) : nullptr;

    return text && once.parser.parse(text, len, false).error() == simdjson::SUCCESS;
}
