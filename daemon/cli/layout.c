/* layout.c - see layout.h. */
#include "cli/layout.h"

#include <string.h>

/* Bytes from a school's name or a note must not move the cursor or change the title of a
 * terminal. */
static void add_printable(struct buf *b, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf_char(b, (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i]);
}

static void add_items(struct buf *b, const struct json *value)
{
    for (const struct json *item = value->as.first; item; item = item->next) {
        if (value->type == JSON_OBJECT) {
            add_printable(b, item->name, strlen(item->name));
            buf_char(b, '=');
        }
        layout_value(b, item);
        buf_str(b, item->next ? ", " : "");
    }
}

void layout_value(struct buf *b, const struct json *value)
{
    if (!value) {
        buf_char(b, '-');
        return;
    }
    switch (value->type) {
    case JSON_NULL:
        buf_char(b, '-');
        break;
    case JSON_BOOL:
        buf_str(b, value->as.boolean ? "yes" : "no");
        break;
    case JSON_INT:
        buf_printf(b, "%lld", (long long)value->as.integer);
        break;
    case JSON_REAL:
        json_write_real(b, value->as.real);
        break;
    case JSON_STRING:
        add_printable(b, value->as.string, value->len);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        if (value->len)
            add_items(b, value);
        else
            buf_char(b, '-');
        break;
    }
}

int layout_width(const char *text)
{
    int width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

void layout_pad(FILE *to, const char *text, int width)
{
    fprintf(to, "%s%*s", text, width > layout_width(text) ? width - layout_width(text) : 0, "");
}

static void print_pairs(FILE *to, const struct json *object, const char *prefix, int width)
{
    for (const struct json *member = object->as.first; member; member = member->next) {
        struct buf name = { 0 }, value = { 0 };
        buf_str(&name, prefix);
        add_printable(&name, member->name, strlen(member->name));
        if (member->type == JSON_OBJECT && member->len) {
            buf_char(&name, '.');
            print_pairs(to, member, buf_cstr(&name), width);
        } else {
            layout_value(&value, member);
            layout_pad(to, buf_cstr(&name), width);
            fprintf(to, "  %s\n", buf_cstr(&value));
        }
        buf_fini(&name);
        buf_fini(&value);
    }
}

static int widest_name(const struct json *object, int behind)
{
    int widest = 0;

    for (const struct json *member = object->as.first; member; member = member->next) {
        int width = behind + layout_width(member->name);
        if (member->type == JSON_OBJECT && member->len)
            width = widest_name(member, width + 1);
        widest = width > widest ? width : widest;
    }
    return widest;
}

enum err_code layout_pairs(FILE *to, const struct buf *answer, struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;

    enum err_code rc = json_parse(&tree, &arena, buf_cstr(answer), answer->len, 64, err);
    if (rc == OK && tree->type == JSON_OBJECT)
        print_pairs(to, tree, "", widest_name(tree, 0));
    else if (rc == OK)
        rc = err_set(err, ERR_IO, "the answer is %s: expected an object", json_type_name(tree));
    else
        rc = err->code = ERR_IO;
    arena_fini(&arena);
    return rc;
}

enum err_code layout_raw(FILE *to, const struct buf *answer)
{
    fwrite(buf_cstr(answer), 1, answer->len, to);
    if (!answer->len || answer->data[answer->len - 1] != '\n')
        fputc('\n', to);
    return OK;
}
