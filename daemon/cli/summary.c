/* summary.c - see summary.h. */
#include "cli/summary.h"

#include <string.h>

#include "base/json.h"

void refusals_add(struct refusals *r, const char *file, int64_t line, const char *status,
                  const char *detail)
{
    if (!r->is_quiet) {
        fprintf(stderr, "%s:%lld: %s: %s\n", file, (long long)line, status, detail);
        return;
    }
    buf_str(&r->json, r->json.len ? ",{\"file\":" : "{\"file\":");
    json_write_cstr(&r->json, file);
    buf_printf(&r->json, ",\"line\":%lld,\"status\":\"%s\",\"detail\":", (long long)line, status);
    json_write_cstr(&r->json, detail);
    buf_char(&r->json, '}');
}

void refusals_fini(struct refusals *r)
{
    buf_fini(&r->json);
}

int64_t tally_sum(const struct tally *t)
{
    return t->accepted + t->duplicate + t->conflict + t->invalid;
}

const char *count_text(int64_t n, char out[COUNT_TEXT])
{
    char digits[COUNT_TEXT];
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)n);
    int at = 0;

    for (int i = 0; i < len; i++) {
        if (i && digits[i - 1] != '-' && (len - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

void tally_print(FILE *to, const struct tally *t, const struct refusals *refusals)
{
    char a[COUNT_TEXT], d[COUNT_TEXT], c[COUNT_TEXT], i[COUNT_TEXT];

    if (refusals)
        fprintf(to,
                "{\"accepted\":%lld,\"duplicate\":%lld,\"conflict\":%lld,\"invalid\":%lld,"
                "\"refused\":[%s]}\n",
                (long long)t->accepted, (long long)t->duplicate, (long long)t->conflict,
                (long long)t->invalid, buf_cstr(&refusals->json));
    else
        fprintf(to, "accepted %s  duplicate %s  conflict %s  invalid %s\n",
                count_text(t->accepted, a), count_text(t->duplicate, d), count_text(t->conflict, c),
                count_text(t->invalid, i));
}
