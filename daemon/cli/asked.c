/* asked.c - see asked.h. */
#include "cli/asked.h"

#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/text.h"

enum err_code asked_subject(char out[SUBJECT_MAX], const char *given, struct err *err)
{
    enum subject_kind kind;
    bool is_urn = given[0] && strspn(given, "0123456789") == strlen(given);

    if (strlen(given) + sizeof("school/") > SUBJECT_MAX)
        return err_set(err, ERR_INPUT, "'%.80s' is too long for a subject", given);
    snprintf(out, SUBJECT_MAX, "%s%s", is_urn ? "school/" : "", given);
    return subject_parse(&kind, out, strlen(out), err);
}

enum err_code asked_format(const char **out, const struct args *args, struct err *err)
{
    static const char *const NAMES[] = { "csv", "ndjson", "json" };
    const char *given = args_text(args, "format");
    char hint[80];

    *out = given ? given : args_flag(args, "json") ? "json" : NULL;
    for (size_t i = 0; given && i < 3; i++)
        if (!strcmp(given, NAMES[i]))
            return OK;
    return !given ? OK
                  : err_set(err, ERR_INPUT, "--format is '%.80s': expected csv or ndjson%s", given,
                            text_hint(hint, sizeof(hint), given, NAMES, 2));
}

void asked_progress(int64_t done, int64_t of, void *arg)
{
    progress_show_work(arg, done, of, "subjects");
}

enum err_code asked_parse(const struct json **out, struct arena *arena, const struct buf *answer,
                          struct err *err)
{
    enum err_code rc = civil_init(err);
    return rc == OK ? json_parse(out, arena, buf_cstr(answer), answer->len, 64, err) : rc;
}
