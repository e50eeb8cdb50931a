/* send.c - `pathway send`: submit files of events. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/deliver.h"
#include "cli/ndjson.h"
#include "cli/options.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/summary.h"

#define BATCH_EVENTS 1000
#define BATCH_BYTES  ((size_t)4 << 20)
#define PATIENCE_S   300

static const struct option_spec OPTIONS[] = {
    { "batch", "N", "events in a request, 1 to 10000 (1000)" },
    { "patience", "SECONDS", "how long to go on while the daemon is busy (300)" },
    OPTION_END,
};

struct sending {
    const char *const *files; /* those not opened yet */
    int left;
    FILE *in;
    struct ndjson *reader; /* NULL between files */
    uint32_t batch_events;
    int64_t bytes_before; /* of the files that are done */
    struct progress progress;
    struct refusals refusals;
};

static void close_file(struct sending *s)
{
    if (s->reader)
        s->bytes_before += ndjson_bytes(s->reader);
    ndjson_close(s->reader);
    if (s->in && s->in != stdin)
        fclose(s->in);
    s->reader = NULL;
    s->in = NULL;
}

static enum err_code open_file(struct sending *s, struct err *err)
{
    const char *name = *s->files++;
    bool is_stdin = !strcmp(name, "-");

    s->left--;
    s->in = is_stdin ? stdin : fopen(name, "rb");
    if (!s->in)
        return err_set(err, ERR_IO, "%s: %s", name, strerror(errno));
    return ndjson_open(&s->reader, s->in, is_stdin ? "(standard input)" : name, err);
}

static enum err_code next_batch(struct batch *out, void *arg, struct err *err)
{
    struct sending *s = arg;

    for (;;) {
        if (!s->reader) {
            out->count = 0;
            if (!s->left)
                return OK;
            enum err_code rc = open_file(s, err);
            if (rc != OK)
                return rc;
        }
        enum err_code rc = ndjson_next(out, s->reader, s->batch_events, BATCH_BYTES, err);
        if (rc != OK || out->count)
            return rc;
        close_file(s);
    }
}

static void note_refused(const char *file, int64_t line, const char *status, const char *detail,
                         void *arg)
{
    struct sending *s = arg;

    progress_clear(&s->progress);
    refusals_add(&s->refusals, file, line, status, detail);
}

static void note_settled(const struct tally *so_far, void *arg)
{
    struct sending *s = arg;

    progress_show(&s->progress, s->bytes_before + (s->reader ? ndjson_bytes(s->reader) : 0),
                  tally_sum(so_far));
}

/* Bytes of all files, or 0 when one is no regular file, whose end nobody knows. Also finds
 * missing files before anything is sent. */
static enum err_code measure(int64_t *total, const char *const *files, int count, struct err *err)
{
    bool is_known = true;

    *total = 0;
    for (int i = 0; i < count; i++) {
        struct stat st;
        if (!strcmp(files[i], "-")) {
            is_known = false;
            continue;
        }
        if (stat(files[i], &st) != 0)
            return err_set(err, ERR_IO, "%s: %s", files[i], strerror(errno));
        if (S_ISDIR(st.st_mode))
            return err_set(err, ERR_IO, "%s is a folder: expected a file of events", files[i]);
        is_known = is_known && S_ISREG(st.st_mode);
        *total += st.st_size;
    }
    if (!is_known)
        *total = 0;
    return OK;
}

static enum cli_exit send_all(struct sending *s, struct place *place, int patience_s, bool as_json)
{
    struct tally tally;
    struct err err;
    const struct delivery delivery = { .next = next_batch,
                                       .refused = note_refused,
                                       .settled = note_settled,
                                       .arg = s,
                                       .patience_s = patience_s };

    enum err_code rc = deliver(&tally, place, &delivery, &err);
    progress_clear(&s->progress);
    if (rc == OK || tally_sum(&tally))
        tally_print(stdout, &tally, as_json ? &s->refusals : NULL);
    if (rc != OK) {
        fprintf(stderr, "pathway: %s\n", err.msg);
        return CLI_FAILED;
    }
    return tally.conflict || tally.invalid ? CLI_NO : CLI_DONE;
}

static enum cli_exit run(const struct args *args)
{
    static const char *const STDIN[] = { "-" };
    int64_t batch_events, patience, total = 0;
    struct place *place = NULL;
    struct err err;
    struct sending s = { .files = args->operand_count ? (const char *const *)args->operands : STDIN,
                         .left = args->operand_count ? args->operand_count : 1 };

    s.refusals.is_quiet = args_flag(args, "json");
    enum err_code rc = args_number(&batch_events, args, "batch", 1, 10000, BATCH_EVENTS, &err);
    if (rc == OK)
        rc = args_number(&patience, args, "patience", 0, 86400, PATIENCE_S, &err);
    if (rc == OK)
        rc = measure(&total, s.files, s.left, &err);
    if (rc == OK)
        rc = place_open(&place, args, &err);
    if (rc != OK)
        return cli_fail(&err);
    s.batch_events = (uint32_t)batch_events;
    progress_init(&s.progress, total);
    enum cli_exit code = send_all(&s, place, (int)patience, args_flag(args, "json"));
    close_file(&s);
    refusals_fini(&s.refusals);
    place_close(place);
    return code;
}

const struct command send_command = {
    .name = "send",
    .operands = "[FILE...]",
    .summary = "submit events from files",
    .help =
        "Submits events, one a line (NDJSON), from files or standard input (-), in requests of up "
        "to\n"
        "--batch events, and says how many were accepted. An event that was sent before counts as\n"
        "duplicate, so sending a file again does no harm. Each refused event is told as\n"
        "FILE:LINE: status: why; the others are taken.",
    .example = "pathway send tests/data/events.ndjson",
    .no = "an event was refused (conflict or invalid)",
    .options = OPTIONS,
    .max_operands = ANY_NUMBER,
    .asks = true,
    .run = run,
};
