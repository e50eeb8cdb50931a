/* backup.c - `pathway backup`: a copy of the database, while the daemon goes on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/held.h"
#include "cli/newfile.h"
#include "cli/options.h"
#include "cli/place.h"
#include "cli/progress.h"

/* The daemon makes the copy, and sends it: whoever asks needs no right to read its files. */
static enum err_code take_from_daemon(struct client *client, const struct newfile *f,
                                      struct progress *progress, struct err *err)
{
    struct exchange x = { .method = "POST",
                          .path = "/v1/backup",
                          .content_type = "application/json",
                          .body = "{}",
                          .body_len = 2,
                          .on_bytes = held_progress,
                          .on_bytes_arg = progress };

    x.to = fopen(f->partial, "wbe");
    if (!x.to)
        return err_set(err, ERR_IO, "%s: %s", f->partial, strerror(errno));
    enum err_code rc = client_call(client, &x, err);
    if (rc == OK)
        rc = client_check(&x, err);
    bool is_written = fclose(x.to) == 0;
    if ((rc == OK && !is_written) || x.curl_code == CURLE_WRITE_ERROR)
        rc = err_set(err, ERR_LIMIT, "%s: can not be written; is its disk full?", f->partial);
    exchange_fini(&x);
    return rc;
}

/* A copy that is no database would show only when it is needed. */
static enum err_code count(struct copied *out, const struct newfile *f, struct err *err)
{
    struct store *s = NULL;
    struct stat st;

    enum err_code rc = store_open(&s, f->partial, STORE_COPIES, err);
    if (rc == OK)
        rc = store_count(out, s, err);
    store_close(s);
    if (rc == OK && fstat(f->fd, &st) == 0)
        out->bytes = st.st_size;
    return rc;
}

static enum err_code take_from_file(struct copied *out, const char *database,
                                    const struct newfile *f, struct progress *progress,
                                    struct err *err)
{
    struct store *from = NULL;

    enum err_code rc = store_open(&from, database, STORE_COPIES, err);
    if (rc == OK)
        rc = store_copy(out, from, f->partial, held_progress, progress, err);
    store_close(from);
    return rc;
}

static void tell(const struct args *args, const char *file, const struct copied *held)
{
    struct buf text = { 0 };

    if (args_flag(args, "json")) {
        buf_str(&text, "{\"file\":");
        json_write_cstr(&text, file);
        buf_char(&text, ',');
        held_json(&text, held);
        buf_str(&text, "}\n");
    } else {
        buf_printf(&text, "%s: ", file);
        held_tell(&text, held);
        buf_char(&text, '\n');
    }
    fputs(buf_cstr(&text), stdout);
    buf_fini(&text);
}

static enum cli_exit run(const struct args *args)
{
    const char *file = args->operands[0];
    struct place *place = NULL;
    struct newfile f = { 0 };
    struct progress progress;
    struct copied held = { 0 };
    struct err err;

    enum err_code rc = place_open(&place, args, &err);
    if (rc != OK)
        return cli_fail(&err);
    rc = newfile_begin(&f, file, args_flag(args, "overwrite"), &err);
    bool is_there = rc == ERR_CONFLICT;
    progress_init(&progress, 0);
    if (rc == OK && place_client(place)) {
        rc = take_from_daemon(place_client(place), &f, &progress, &err);
        if (rc == OK)
            rc = count(&held, &f, &err);
    } else if (rc == OK) {
        rc = take_from_file(&held, args_text(args, "database"), &f, &progress, &err);
    }
    if (rc == OK)
        rc = newfile_finish(&f, &err);
    progress_clear(&progress);
    newfile_fini(&f);
    place_close(place);
    if (rc == OK) {
        tell(args, file, &held);
        return CLI_DONE;
    }
    cli_fail(&err);
    return is_there ? CLI_NO : CLI_FAILED; /* whatever the reason: there is no backup */
}

static const struct option_spec OPTIONS[] = {
    { "overwrite", NULL, "replace FILE when it is there" },
    OPTION_END,
};

const struct command backup_command = {
    .name = "backup",
    .operands = "FILE",
    .summary = "copy the database to a file, while the daemon goes on",
    .help =
        "Copies the whole database as it is at one moment: every event that was acknowledged\n"
        "before the command began is in it, with decisions, feed, cursors, tokens, people and\n"
        "rules. The daemon goes on taking events in meanwhile. FILE has its name only when all of\n"
        "it is on the disk, and nobody else may read it: it holds personal data. Takes the scope\n"
        "admin.",
    .example = "pathway backup /var/backups/pathway-$(date +%F).db",
    .options = OPTIONS,
    .no = "FILE is there already, and stays as it is",
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run,
};
