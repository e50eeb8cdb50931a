/* person.c - `pathway person`: what a person's key stands for, which is never in the log. */
#include <stdio.h>
#include <string.h>

#include "cli/asked.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/place.h"

/* {"name":"Ann Lee","role":"maths lead"} from the words name=Ann Lee, role=maths lead. */
static enum err_code write_details(struct buf *b, char **words, int count, struct err *err)
{
    buf_char(b, '{');
    for (int i = 0; i < count; i++) {
        const char *equals = strchr(words[i], '=');
        if (!equals || equals == words[i])
            return err_set(err, ERR_INPUT,
                           "'%.80s' is no detail: expected name=VALUE, as in role=headteacher",
                           words[i]);
        for (int j = 0; j < i; j++)
            if (!strncmp(words[i], words[j], (size_t)(equals - words[i]) + 1))
                return err_set(err, ERR_INPUT, "'%.*s' is given twice", (int)(equals - words[i]),
                               words[i]);
        buf_str(b, i ? "," : "");
        json_write_string(b, words[i], (size_t)(equals - words[i]));
        buf_char(b, ':');
        json_write_cstr(b, equals + 1);
    }
    buf_char(b, '}');
    return OK;
}

static enum cli_exit change(const struct args *args, const char *details, const char *done)
{
    struct place *place = NULL;
    struct err err;

    enum err_code rc = place_open(&place, args, &err);
    if (rc == OK)
        rc = place_person(place, args->operands[0], details, &err);
    place_close(place);
    if (rc != OK)
        return cli_fail(&err);
    if (args_flag(args, "json"))
        puts("{}");
    else
        printf("%s: %s\n", args->operands[0], done);
    return CLI_DONE;
}

static enum cli_exit run_set(const struct args *args)
{
    struct buf details = { 0 };
    struct err err;

    if (write_details(&details, args->operands + 1, args->operand_count - 1, &err) != OK) {
        buf_fini(&details);
        return cli_fail(&err);
    }
    enum cli_exit code = change(args, buf_cstr(&details), "kept");
    buf_fini(&details);
    return code;
}

static enum cli_exit run_erase(const struct args *args)
{
    return change(args, NULL, "erased");
}

static enum cli_exit run_show(const struct args *args)
{
    const struct param params[] = { { "key", args->operands[0] }, { NULL, NULL } };

    return asked_pairs(args, "person", params);
}

const struct command person_set_command = {
    .name = "person set",
    .operands = "KEY NAME=VALUE...",
    .summary = "keep a person's name, role, address",
    .help = "Events name people only by a key (1 to 64 of a-z 0-9 . _ -). This keeps what a key "
            "stands\n"
            "for: name, role, email or any other detail. It replaces what was kept before, and is "
            "never\n"
            "part of the log.",
    .example =
        "pathway person set p-13-1 name='Ann Lee' role='maths lead' email=ann@school.example",
    .min_operands = 2,
    .max_operands = ANY_NUMBER,
    .asks = true,
    .run = run_set,
};

const struct command person_show_command = {
    .name = "person show",
    .operands = "KEY",
    .summary = "what is kept about a person",
    .help = "Prints the details kept under a key.",
    .example = "pathway person show p-13-1",
    .no = "nothing is kept under this key",
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_show,
};

const struct command person_erase_command = {
    .name = "person erase",
    .operands = "KEY",
    .summary = "forget a person",
    .help = "Deletes the details kept under a key. Events keep the key itself; every decision "
            "stays as it\n"
            "was. This can not be undone.",
    .example = "pathway person erase p-13-1",
    .no = "nothing is kept under this key",
    .min_operands = 1,
    .max_operands = 1,
    .asks = true,
    .run = run_erase,
};
