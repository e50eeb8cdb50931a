/* restore.c - `pathway restore`: a backup in the place of the database. */
#include <stdio.h>
#include <stdlib.h>

#include "base/civil.h"
#include "base/digest.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/held.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "store/restore.h"

#define DEFAULT_DATABASE "/var/lib/pathwayd/pathway.db"

static void tell_people(struct buf *text, const char *database, const struct restored *done)
{
    buf_printf(text, "%s: ", database);
    held_tell(text, &done->holds);
    if (done->before)
        buf_printf(text, "\nThe database that was there is now %s: delete it when you are sure.\n",
                   done->before);
    else
        buf_str(text, "\nThere was no database before.\n");
    buf_str(
        text,
        "Next: start the daemon (systemctl start pathwayd), and send again what was sent since "
        "then:\nwhat is there already counts as duplicates. From here on the database has another "
        "name in the\nfeed, so that whoever has seen entries that are not in it any more is told, "
        "and "
        "takes the lists again.\n");
}

static void tell(const struct args *args, const char *database, const struct restored *done)
{
    struct buf text = { 0 };

    if (args_flag(args, "json")) {
        buf_str(&text, "{\"database\":");
        json_write_cstr(&text, database);
        buf_char(&text, ',');
        held_json(&text, &done->holds);
        buf_str(&text, ",\"before\":");
        json_write_cstr(&text, done->before);
        buf_str(&text, "}\n");
    } else {
        tell_people(&text, database, done);
    }
    fputs(buf_cstr(&text), stdout);
    buf_fini(&text);
}

static enum cli_exit run(const struct args *args)
{
    const char *given = args_text(args, "database");
    const char *database = given ? given : DEFAULT_DATABASE;
    struct restored done = { 0 };
    struct progress progress;
    struct err err;

    progress_init(&progress, 0);
    enum err_code rc = civil_init(&err);
    if (rc == OK)
        rc = digest_init(&err);
    if (rc == OK)
        rc = store_restore(&done, args->operands[0], database, held_progress, &progress, &err);
    progress_clear(&progress);
    if (rc == OK)
        tell(args, database, &done);
    free(done.before);
    if (rc == OK)
        return CLI_DONE;
    cli_fail(&err);
    return rc == ERR_CONFLICT ? CLI_NO : CLI_FAILED;
}

static const struct option_spec OPTIONS[] = {
    { "database", "FILE", "the database to replace (else " DEFAULT_DATABASE ")" },
    OPTION_END,
};

const struct command restore_command = {
    .name = "restore",
    .operands = "FILE",
    .summary = "put a backup in the place of the database; the daemon must be stopped",
    .help =
        "Copies the backup beside the database, checks the copy (the whole file, and the hash\n"
        "chain of its events) and puts it in the database's place in one step. The database that\n"
        "was there is not deleted: it gets another name, which is printed. A daemon that has the\n"
        "database open must be stopped first. When anything is wrong nothing is changed.",
    .example = "pathway restore /var/backups/pathway-2026-11-25.db",
    .options = OPTIONS,
    .no = "FILE is damaged, cut off or no backup at all",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
