/* import_report.c - see import_report.h. */
#include "cli/import_report.h"

#include "base/civil.h"
#include "base/json.h"
#include "cli/register.h"
#include "cli/summary.h"

void import_report_left_out(struct import_report *r, int64_t line, enum left_out reason,
                            const char *why)
{
    r->left_out[reason]++;
    if (!r->is_quiet)
        fprintf(stderr, "%s:%lld: %s\n", r->path, (long long)line, why);
    buf_printf(&r->json, "%s{\"line\":%lld,\"why\":", r->json.len ? "," : "", (long long)line);
    json_write_cstr(&r->json, why);
    buf_char(&r->json, '}');
}

static void print_json(FILE *to, const struct import_report *r)
{
    char day[DAY_TEXT];

    fprintf(to,
            "{\"date\":\"%s\",\"rows\":%lld,\"registered\":%lld,\"changed\":%lld,\"unchanged\":%"
            "lld,\"left_out\":[%s]",
            day_text(r->day, day), (long long)r->rows, (long long)r->made[REGISTER_NEW],
            (long long)r->made[REGISTER_CHANGED], (long long)r->made[REGISTER_SAME],
            buf_cstr(&r->json));
    fprintf(to, ",\"accepted\":%lld,\"duplicate\":%lld,\"conflict\":%lld,\"invalid\":%lld}\n",
            (long long)r->tally.accepted, (long long)r->tally.duplicate,
            (long long)r->tally.conflict, (long long)r->tally.invalid);
}

void import_report_print(FILE *to, const struct import_report *r, bool as_json, bool is_dry)
{
    char rows[COUNT_TEXT], fresh[COUNT_TEXT], changed[COUNT_TEXT], same[COUNT_TEXT],
        left[COUNT_TEXT];
    char day[DAY_TEXT];
    int64_t left_out = 0;

    if (as_json) {
        print_json(to, r);
        return;
    }
    for (int i = 0; i < LEFT_OUT_COUNT; i++)
        left_out += r->left_out[i];
    fprintf(to, "extract of %s: rows %s  registered %s  changed %s  unchanged %s  left out %s\n",
            day_text(r->day, day), count_text(r->rows, rows),
            count_text(r->made[REGISTER_NEW], fresh),
            count_text(r->made[REGISTER_CHANGED], changed),
            count_text(r->made[REGISTER_SAME], same), count_text(left_out, left));
    for (int i = 0; i < LEFT_OUT_COUNT; i++)
        if (r->left_out[i])
            fprintf(to, "  left out: %s %s\n", left_out_names[i], count_text(r->left_out[i], left));
    if (is_dry)
        fprintf(to, "nothing was sent (--dry-run)\n");
    else if (tally_sum(&r->tally))
        tally_print(to, &r->tally, NULL);
}

void import_report_fini(struct import_report *r)
{
    buf_fini(&r->json);
}
