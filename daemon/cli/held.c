/* held.c - see held.h. */
#include "cli/held.h"

#include "base/civil.h"
#include "cli/progress.h"
#include "cli/summary.h"

void held_tell(struct buf *out, const struct copied *held)
{
    char events[COUNT_TEXT], changes[COUNT_TEXT], when[TIME_TEXT];

    buf_printf(out, "%s events", count_text(held->events, events));
    if (held->events)
        buf_printf(out, ", the last recorded %s,", time_text(held->recorded, when));
    buf_printf(out, " and %s changes of decisions", count_text(held->changes, changes));
}

void held_json(struct buf *out, const struct copied *held)
{
    char when[TIME_TEXT];

    buf_printf(out, "\"bytes\":%lld,\"events\":%lld,\"changes\":%lld,\"recorded\":",
               (long long)held->bytes, (long long)held->events, (long long)held->changes);
    if (held->events)
        buf_printf(out, "\"%s\"", time_text(held->recorded, when));
    else
        buf_str(out, "null");
}

void held_progress(int64_t bytes, int64_t of, void *arg)
{
    progress_show_work(arg, bytes >> 20, (of + (1 << 20) - 1) >> 20, "MiB");
}
