/* plugin_measure.c - metrics of plugins, in Prometheus' text format. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "host/plugin_internal.h"

struct pw_meter {
    struct buf *out;
    const struct slot *slot;
    char last[128]; /* the name whose head is written */
    bool is_told;   /* what is wrong with a name, once */
};

static bool is_metrics_name(const struct slot *slot, const char *name)
{
    char prefix[96];

    int len = snprintf(prefix, sizeof(prefix), "pathwayd_%s_", slot->plugin->name);
    for (int i = 0; i < len; i++)
        prefix[i] = (char)(prefix[i] == '-' ? '_' : prefix[i]);
    return name && strlen(name) < 128 && strncmp(name, prefix, (size_t)len) == 0 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* A text between quotes, or up to the end of a line, as Prometheus wants it. */
static void write_escaped(struct buf *out, const char *text)
{
    for (; text && *text; text++) {
        if (*text == '\n')
            buf_str(out, "\\n");
        else if (*text == '"' || *text == '\\')
            buf_printf(out, "\\%c", *text);
        else
            buf_char(out, *text);
    }
}

static void write_labels(struct buf *out, const char *const *labels)
{
    const char *separator = "{";

    for (; labels && labels[0] && labels[1]; labels += 2) {
        buf_printf(out, "%s%s=\"", separator, labels[0]);
        write_escaped(out, labels[1]);
        buf_char(out, '"');
        separator = ",";
    }
    if (*separator == ',')
        buf_char(out, '}');
}

void plugin_sample(void *ctx, struct pw_meter *meter, enum pw_metric_kind kind, const char *name,
                   const char *help, const char *const *labels, double value)
{
    struct slot *slot = ctx;

    if (!is_metrics_name(slot, name)) {
        if (!meter->is_told)
            log_err("host: plugin %s measures '%.80s', which is no metric of its own",
                    slot->plugin->name, name ? name : "");
        meter->is_told = true;
        return;
    }
    if (strcmp(meter->last, name) != 0) {
        snprintf(meter->last, sizeof(meter->last), "%s", name);
        buf_printf(meter->out, "# HELP %s ", name);
        write_escaped(meter->out, help);
        buf_printf(meter->out, "\n# TYPE %s %s\n", name, kind == PW_COUNTER ? "counter" : "gauge");
    }
    buf_str(meter->out, name);
    write_labels(meter->out, labels);
    buf_char(meter->out, ' ');
    if (isfinite(value))
        buf_printf(meter->out, "%.17g\n", value);
    else
        buf_str(meter->out, isnan(value) ? "NaN\n" : value > 0 ? "+Inf\n" : "-Inf\n");
}

void plugin_measure(struct slot *slot, struct buf *out)
{
    struct pw_meter meter = { .out = out, .slot = slot };

    if (slot->state != SLOT_RUNNING || !slot->plugin->measure)
        return;
    const char *before = plugin_enter(slot);
    slot->plugin->measure(slot->self, &meter);
    loopwatch_enter(slot->plugins->watch, before);
}
