/* asked.c - see asked.h. */
#include "cli/asked.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/civil.h"
#include "base/text.h"
#include "cli/layout.h"

#define NAMES_TOLD 4 /* of schools, when a name may be several */

enum err_code asked_subject(char out[SUBJECT_MAX], const char *given, struct err *err)
{
    enum subject_kind kind;
    bool is_urn = given[0] && strspn(given, "0123456789") == strlen(given);

    if (strlen(given) + sizeof("school/") > SUBJECT_MAX)
        return err_set(err, ERR_INPUT, "'%.80s' is too long for a subject", given);
    snprintf(out, SUBJECT_MAX, "%s%s", is_urn ? "school/" : "", given);
    return subject_parse(&kind, out, strlen(out), err);
}

/* Of the schools whose names have it in them the one that is meant; NULL: it may be several. */
static const struct json *choose(const struct json *items, const char *given)
{
    const struct json *chosen = items->len == 1 ? items->as.first : NULL;
    int count = 0;

    for (const struct json *i = items->len ? items->as.first : NULL; i; i = i->next) {
        const struct json *name = json_get(i, "name");
        if (!name || name->type != JSON_STRING || strcasecmp(name->as.string, given) != 0)
            continue;
        chosen = i;
        count++;
    }
    return count > 1 ? NULL : chosen;
}

static enum err_code tell_which(const char *given, const struct json *items, struct err *err)
{
    struct buf b = { 0 };
    uint32_t told = 0;

    for (const struct json *i = items->as.first; i && told < NAMES_TOLD; i = i->next, told++) {
        buf_str(&b, told ? ", " : "");
        layout_value(&b, json_get(i, "subject"));
        buf_str(&b, " ");
        layout_value(&b, json_get(i, "name"));
    }
    err_set(err, ERR_INPUT, "'%.40s' may be several schools; which one? %s%s", given, buf_cstr(&b),
            items->len > told ? ", ..." : "");
    buf_fini(&b);
    return err->code;
}

enum err_code asked_find_subject(char out[SUBJECT_MAX], struct place *place, const char *given,
                                 struct err *err)
{
    const struct param params[] = { { "q", given }, { NULL, NULL } };
    struct arena arena = { 0 };
    struct buf answer = { 0 };
    const struct json *tree = NULL;
    struct err why;

    enum err_code rc = asked_subject(out, given, err);
    if (rc == OK || strchr(given, '/') || !*given)
        return rc;
    rc = place_ask(&answer, place, "list", params, &why);
    if (rc == OK)
        rc = json_parse(&tree, &arena, buf_cstr(&answer), answer.len, 64, &why);
    const struct json *items = rc == OK ? json_get(tree, "items") : NULL;
    const struct json *school = items ? choose(items, given) : NULL;
    if (school) {
        snprintf(out, SUBJECT_MAX, "%s", json_get(school, "subject")->as.string);
    } else if (items && items->len > 0) {
        tell_which(given, items, err);
    } else {
        size_t len = strlen(err->msg);
        snprintf(err->msg + len, sizeof(err->msg) - len, "%s%s",
                 items ? "; and no school is called so"
                       : "; whether a school is called so can not be asked: ",
                 items ? "" : why.msg);
    }
    buf_fini(&answer);
    arena_fini(&arena);
    return school ? OK : err->code;
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

enum err_code asked_needed(const struct args *args, const char *command, const char *option,
                           const char *example, struct err *err)
{
    return args_text(args, option)
               ? OK
               : err_set(err, ERR_INPUT, "%s needs --%s, as --%s %s (see: pathway %s --help)",
                         command, option, option, example, command);
}

void asked_words(struct buf *b, const char *words)
{
    const char *separator = "[";

    for (words += strspn(words, ", "); *words; words += strspn(words, ", ")) {
        size_t n = strcspn(words, ", ");
        buf_str(b, separator);
        json_write_string(b, words, n);
        separator = ",";
        words += n;
    }
    buf_str(b, *separator == '[' ? "[]" : "]");
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

static enum err_code print_answer(const struct buf *answer, bool as_json,
                                  void (*layout)(FILE *to, const struct json *answer),
                                  struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;

    if (as_json)
        return layout_raw(stdout, answer);
    enum err_code rc = asked_parse(&tree, &arena, answer, err);
    if (rc == OK)
        layout(stdout, tree);
    arena_fini(&arena);
    return rc;
}

enum cli_exit asked_about_subject(const struct args *args, const char *question,
                                  void (*layout)(FILE *to, const struct json *answer))
{
    char subject[SUBJECT_MAX];
    struct place *place = NULL;
    struct buf answer = { 0 };
    struct err err;

    enum err_code rc = place_open(&place, args, &err);
    if (rc == OK)
        rc = asked_find_subject(subject, place, args->operands[0], &err);
    const struct param params[] = { { "subject", subject },
                                    { "at", args_text(args, "at") },
                                    { "known", args_text(args, "known") },
                                    { "decision",
                                      args->operand_count > 1 ? args->operands[1] : NULL },
                                    { NULL, NULL } };
    if (rc == OK)
        rc = place_ask(&answer, place, question, params, &err);
    if (rc == OK)
        rc = print_answer(&answer, args_flag(args, "json"), layout, &err);
    buf_fini(&answer);
    place_close(place);
    return rc == OK ? CLI_DONE : cli_fail_asking(&err);
}

enum cli_exit asked_print(const struct args *args, const char *question, const struct param *params,
                          asked_print_fn *print)
{
    struct place *place = NULL;
    struct buf answer = { 0 };
    struct err err;

    enum err_code rc = place_open(&place, args, &err);
    if (rc == OK)
        rc = place_ask(&answer, place, question, params, &err);
    if (rc == OK)
        rc = args_flag(args, "json") ? layout_raw(stdout, &answer) : print(stdout, &answer, &err);
    buf_fini(&answer);
    place_close(place);
    return rc == OK ? CLI_DONE : cli_fail(&err);
}

enum cli_exit asked_pairs(const struct args *args, const char *question, const struct param *params)
{
    return asked_print(args, question, params, layout_pairs);
}
