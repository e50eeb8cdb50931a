/* place.c - see place.h. */
#include "cli/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/digest.h"
#include "engine/question.h"
#include "model/subject.h"

struct place {
    struct client *client; /* NULL with --database */
    const char *database;  /* borrowed from argv */
    const char *rules;
    bool has_rules;        /* --rules was given: they answer, whatever was in force at --known */
    struct reader *reader; /* opened at first use */
    reader_progress_fn *progress; /* NULL: nobody wants to know */
    void *progress_arg;
    char tag[48]; /* by which a daemon is asked how far our question has come; "": it is not */
    struct engine *engine;
};

const char *rules_folder(const char *given)
{
    static const char TREE[] = PATHWAY_SOURCE_DIR "/rules";

    if (given)
        return given;
    return access(TREE, R_OK) == 0 ? TREE : "/etc/pathwayd/rules";
}

/* The first line of a file: its own, and not in the list of processes as an option would be. */
static enum err_code read_token(char *out, size_t size, const char *path, struct err *err)
{
    FILE *f = fopen(path, "re");

    if (!f)
        return err_set(err, ERR_IO, "can not read the token file %s: %s", path, strerror(errno));
    if (!fgets(out, (int)size, f))
        out[0] = '\0';
    fclose(f);
    out[strcspn(out, "\r\n")] = '\0';
    return *out ? OK : err_set(err, ERR_INPUT, "the token file %s is empty", path);
}

static enum err_code open_client(struct client **out, const char *url, const struct args *args,
                                 struct err *err)
{
    const char *given = getenv("PATHWAY_TOKEN"), *token_file = args_text(args, "token-file");
    const char *ca = args_text(args, "ca");
    char token[256] = "";

    if (!ca)
        ca = getenv("PATHWAY_CA");
    enum err_code rc = client_open(out, url, err);
    if (rc == OK && ca && *ca)
        rc = client_use_ca(*out, ca, err);
    if (rc == OK && token_file)
        rc = read_token(token, sizeof(token), token_file, err);
    else if (rc == OK && given)
        snprintf(token, sizeof(token), "%s", given);
    return rc == OK && *token ? client_use_token(*out, token, err) : rc;
}

enum err_code place_open(struct place **out, const struct args *args, struct err *err)
{
    *out = NULL;
    const char *url = args_text(args, "url");
    const char *database = args_text(args, "database");
    if (url && database)
        return err_set(err, ERR_INPUT, "--url and --database name two places: give one");
    struct place *p = calloc(1, sizeof(*p));
    if (!p)
        return err_set(err, ERR_LIMIT, "no memory");
    p->database = database;
    const char *rules = args_text(args, "rules");
    p->has_rules = rules != NULL;
    p->rules = rules_folder(rules && strcmp(rules, "current") != 0 ? rules : NULL);
    if (!url)
        url = getenv("PATHWAY_URL");

    enum err_code rc = OK;
    if (!database)
        rc = open_client(&p->client, url && *url ? url : CLIENT_DEFAULT_URL, args, err);
    if (rc == OK)
        *out = p;
    else
        place_close(p);
    return rc;
}

void place_close(struct place *p)
{
    if (!p)
        return;
    if (p->reader)
        reader_close(p->reader);
    if (p->engine) {
        struct err err;
        if (engine_settle(p->engine, &err) != OK)
            fprintf(stderr, "pathway: %s; the next who opens the database goes on from there\n",
                    err.msg);
        engine_close(p->engine);
    }
    client_close(p->client);
    free(p);
}

struct client *place_client(struct place *p)
{
    return p->client;
}

/* A database or rules that do not open are "could not", whatever the reason: nobody said no. */
static enum err_code could_not(enum err_code rc, struct err *err)
{
    if (rc == ERR_INPUT || rc == ERR_ABSENT)
        return err->code = ERR_IO;
    return rc;
}

static enum err_code prepare(struct err *err)
{
    enum err_code rc = civil_init(err);

    return rc == OK ? digest_init(err) : rc;
}

enum err_code place_engine(struct engine **out, struct place *p, struct err *err)
{
    enum err_code rc = prepare(err);
    struct engine_options options = { .database = p->database, .rules = p->rules };

    clock_init_real(&options.clock);
    if (rc == OK && !p->engine)
        rc = could_not(engine_open(&p->engine, &options, err), err);
    *out = p->engine;
    return rc;
}

/* About the database itself, not what is in it: it brings the rules that it needs. */
static bool is_check(const char *question)
{
    return !strcmp(question, "verify") || !strcmp(question, "replay");
}

static enum err_code open_reader(struct place *p, const char *question, struct err *err)
{
    const char *rules = is_check(question) ? NULL : p->rules;
    struct clock clock;
    enum err_code rc = prepare(err);

    clock_init_real(&clock);
    if (rc == OK && !p->reader)
        rc = could_not(reader_open(&p->reader, p->database, rules, &clock, err), err);
    return rc;
}

static const char *value_of(const struct param *params, const char *name)
{
    for (; params && params->name; params++)
        if (!strcmp(params->name, name))
            return params->value;
    return NULL;
}

/* Must the question say that the rules in force at `known` are not asked for? */
static bool rules_matter(const struct place *p, const struct param *params)
{
    return p->has_rules && (value_of(params, "known") || value_of(params, "from"));
}

static bool is_about_one(const char *question)
{
    return !strcmp(question, "subject") || !strcmp(question, "explain") ||
           !strcmp(question, "history");
}

/* ... or at least of more than one: the subject is a parameter. */
static bool is_asked_of_all(const char *question)
{
    return !strcmp(question, "forecast") || !strcmp(question, "advise") ||
           !strcmp(question, "restated");
}

/* The fixed part of a question's route. */
static void write_path(struct buf *b, const char *question, const struct param *params)
{
    const char *subject = value_of(params, "subject");
    enum subject_kind kind;

    if (is_about_one(question) && subject &&
        subject_parse(&kind, subject, strlen(subject), NULL) == OK) {
        buf_printf(b, "/v1/%ss/", subject_kind_name(kind));
        client_escape(b, subject_code(subject));
        if (!strcmp(question, "explain")) {
            buf_str(b, "/decisions/");
            client_escape(b, value_of(params, "decision"));
        } else if (!strcmp(question, "history")) {
            buf_str(b, "/history");
        }
    } else if (!strcmp(question, "overlay")) {
        buf_str(b, "/v1/overlays/");
        client_escape(b, value_of(params, "hub"));
    } else if (!strcmp(question, "person")) {
        buf_str(b, "/v1/people/");
        client_escape(b, value_of(params, "key"));
    } else if (!strcmp(question, "status") || !strcmp(question, "tokens") ||
               !strcmp(question, "quarantine") || !strcmp(question, "faults") ||
               is_check(question)) {
        buf_printf(b, "/v1/%s", question);
    } else if (is_asked_of_all(question)) {
        buf_printf(b, "/v1/%s", question);
    } else if (!strcmp(question, "list")) {
        buf_str(b, "/v1/schools");
    } else if (!strcmp(question, "changes") && !value_of(params, "format")) {
        buf_str(b, "/v1/changes");
    } else {
        buf_printf(b, "/v1/export/%s", question);
    }
}

static bool is_in_path(const char *question, const char *param)
{
    return (!strcmp(param, "subject") && is_about_one(question)) || !strcmp(param, "key") ||
           (!strcmp(param, "decision") && !strcmp(question, "explain")) ||
           !strcmp(question, "overlay");
}

static void write_route(struct buf *b, const struct place *p, const char *question,
                        const struct param *params)
{
    char separator = '?';

    write_path(b, question, params);
    if (rules_matter(p, params)) {
        buf_str(b, "?rules=current");
        separator = '&';
    }
    for (; params && params->name; params++) {
        if (!params->value || is_in_path(question, params->name))
            continue;
        buf_char(b, separator);
        client_escape(b, params->name);
        buf_char(b, '=');
        client_escape(b, params->value);
        separator = '&';
    }
    if (p->tag[0])
        buf_printf(b, "%ctag=%s", separator, p->tag);
}

static void write_list(struct buf *b, const char *names)
{
    const char *separator = "[";

    while (*names) {
        size_t n = strcspn(names, ",");
        if (n) {
            buf_str(b, separator);
            json_write_string(b, names, n);
            separator = ",";
        }
        names += n + (names[n] == ',');
    }
    buf_str(b, *separator == '[' ? "[]" : "]");
}

static void write_params(struct buf *b, const struct place *p, const struct param *params)
{
    const char *separator = "{";

    if (rules_matter(p, params)) {
        buf_str(b, "{\"rules\":\"current\"");
        separator = ",";
    }
    for (; params && params->name; params++) {
        if (!params->value)
            continue;
        buf_str(b, separator);
        json_write_cstr(b, params->name);
        buf_char(b, ':');
        if (!strcmp(params->name, "names"))
            write_list(b, params->value);
        else if ((!strcmp(params->name, "after") || !strcmp(params->name, "limit")) &&
                 !strchr(params->value, '/'))
            buf_str(b, params->value); /* args_number() has seen to it */
        else
            json_write_cstr(b, params->value);
        separator = ",";
    }
    buf_str(b, *separator == '{' ? "{}" : "}");
}

static enum err_code ask_database_json(struct buf *out, struct place *p, const char *question,
                                       const struct buf *params, struct err *err)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;
    enum err_code rc = open_reader(p, question, err);

    if (rc == OK)
        rc = json_parse(&tree, &arena, buf_cstr(params), params->len, 8, err);
    if (rc == OK) {
        reader_on_progress(p->reader, p->progress, p->progress_arg);
        rc = question_answer(out, p->reader, question, tree, err);
    }
    arena_fini(&arena);
    return rc;
}

static enum err_code ask_database(struct buf *out, struct place *p, const char *question,
                                  const struct param *params, struct err *err)
{
    struct buf text = { 0 };

    write_params(&text, p, params);
    enum err_code rc = ask_database_json(out, p, question, &text, err);
    buf_fini(&text);
    return rc;
}

/* Into `to`, or into `out` when that is NULL. */
static enum err_code ask_daemon(struct buf *out, FILE *to, struct place *p, const char *question,
                                const struct param *params, struct err *err)
{
    struct buf route = { 0 };

    write_route(&route, p, question, params);
    struct exchange x = { .method = "GET", .path = buf_cstr(&route), .to = to };
    enum err_code rc = client_call(p->client, &x, err);
    if (rc == OK)
        rc = client_check(&x, err);
    if (rc == OK && !to)
        buf_add(out, x.answer.data, x.answer.len);
    exchange_fini(&x);
    buf_fini(&route);
    return rc;
}

static enum err_code post(struct buf *out, struct place *p, const char *question,
                          const char *format, const struct buf *params, struct err *err)
{
    struct buf route = { 0 }, body = { 0 };

    buf_printf(&route, "/v1/%s?format=%s", question, format);
    if (p->tag[0])
        buf_printf(&body, "{\"tag\":\"%s\",", p->tag);
    buf_str(&body, buf_cstr(params) + (p->tag[0] ? 1 : 0));
    struct exchange x = { .method = "POST",
                          .path = buf_cstr(&route),
                          .content_type = "application/json",
                          .body = buf_cstr(&body),
                          .body_len = body.len };
    enum err_code rc = client_call(p->client, &x, err);
    if (rc == OK)
        rc = client_check(&x, err);
    if (rc == OK)
        buf_add(out, x.answer.data, x.answer.len);
    exchange_fini(&x);
    buf_fini(&route);
    buf_fini(&body);
    return rc;
}

enum err_code place_ask_json(struct buf *out, struct place *p, const char *question,
                             const char *format, const struct buf *params, struct err *err)
{
    struct buf whole = { 0 };

    if (p->client)
        return post(out, p, question, format, params, err);
    buf_printf(&whole, "{\"format\":\"%s\",\"may_load\":true,%s", format, buf_cstr(params) + 1);
    enum err_code rc = ask_database_json(out, p, question, &whole, err);
    buf_fini(&whole);
    return rc;
}

void place_use_rules_in_force(struct place *p)
{
    p->rules = NULL;
}

static int64_t whole(const struct json *object, const char *name)
{
    const struct json *v = json_get(object, name);
    return v && v->type == JSON_INT ? v->as.integer : 0;
}

/* How far has our question come? A daemon that does not say is no reason to stop. */
static void ask_how_far(void *arg)
{
    struct place *p = arg;
    struct exchange x = { .method = "GET", .path = "/v1/questions" };
    struct arena arena = { 0 };
    const struct json *tree = NULL;

    if (client_start(p->client, &x, NULL) == OK && client_wait(p->client, &x, NULL) == OK &&
        client_check(&x, NULL) == OK &&
        json_parse(&tree, &arena, buf_cstr(&x.answer), x.answer.len, 8, NULL) == OK) {
        const struct json *items = json_get(tree, "items");
        for (const struct json *i = items ? items->as.first : NULL; i; i = i->next)
            if (json_is_string(json_get(i, "tag"), p->tag))
                p->progress(whole(i, "done"), whole(i, "of"), p->progress_arg);
    }
    exchange_fini(&x);
    arena_fini(&arena);
}

void place_on_progress(struct place *p, reader_progress_fn *fn, void *arg)
{
    p->progress = fn;
    p->progress_arg = arg;
    if (!p->client || !isatty(STDERR_FILENO)) /* nobody would see it */
        return;
    snprintf(p->tag, sizeof(p->tag), "pathway-%ld-%lld", (long)getpid(),
             (long long)clock_monotonic());
    client_on_wait(p->client, ask_how_far, p);
}

enum err_code place_ask(struct buf *out, struct place *p, const char *question,
                        const struct param *params, struct err *err)
{
    if (p->client)
        return ask_daemon(out, NULL, p, question, params, err);
    return ask_database(out, p, question, params, err);
}

enum err_code place_print(FILE *to, struct place *p, const char *question,
                          const struct param *params, struct err *err)
{
    struct buf text = { 0 };

    if (p->client)
        return ask_daemon(NULL, to, p, question, params, err);
    enum err_code rc = ask_database(&text, p, question, params, err);
    if (rc == OK && text.len && fwrite(text.data, 1, text.len, to) != text.len)
        rc = err_set(err, ERR_IO, "cannot write the answer");
    buf_fini(&text);
    return rc;
}

/* What a command about tokens answers beside its result is for a daemon. */
static void add_result(struct buf *out, const char *answer)
{
    struct arena arena = { 0 };
    const struct json *tree = NULL;

    if (json_parse(&tree, &arena, answer, strlen(answer), 16, NULL) == OK &&
        json_get(tree, "result"))
        json_write(out, json_get(tree, "result"));
    else
        buf_str(out, answer);
    arena_fini(&arena);
}

static enum err_code command_in_database(struct buf *out, struct place *p, const char *name,
                                         const char *json, struct err *err)
{
    struct arena arena = { 0 };
    const struct json *params = NULL;
    struct engine *engine = NULL;
    char *answer = NULL;

    enum err_code rc = place_engine(&engine, p, err);
    if (rc == OK)
        rc = json_parse(&params, &arena, json, strlen(json), 16, err);
    if (rc == OK)
        rc = engine_command(&answer, engine, name, params, err);
    if (rc == OK && out)
        add_result(out, answer);
    free(answer);
    arena_fini(&arena);
    return rc;
}

enum err_code place_command(struct buf *out, struct place *p, const char *name, const char *method,
                            const char *path, const char *json, struct err *err)
{
    if (!p->client)
        return command_in_database(out, p, name, json, err);
    bool has_body = strcmp(method, "DELETE") != 0;
    struct exchange x = { .method = method,
                          .path = path,
                          .content_type = has_body ? "application/json" : NULL,
                          .body = has_body ? json : NULL,
                          .body_len = has_body ? strlen(json) : 0 };
    enum err_code rc = client_call(p->client, &x, err);
    if (rc == OK)
        rc = client_check(&x, err);
    if (rc == OK && out)
        buf_add(out, x.answer.data, x.answer.len);
    exchange_fini(&x);
    return rc;
}

enum err_code place_person(struct place *p, const char *key, const char *details, struct err *err)
{
    struct buf path = { 0 }, json = { 0 };

    buf_str(&path, "/v1/people/");
    client_escape(&path, key);
    if (p->client) {
        buf_str(&json, details ? details : "{}");
    } else {
        buf_str(&json, "{\"key\":");
        json_write_cstr(&json, key);
        if (details)
            buf_printf(&json, ",\"details\":%s", details);
        buf_char(&json, '}');
    }
    enum err_code rc =
        place_command(NULL, p, details ? "person.set" : "person.erase", details ? "PUT" : "DELETE",
                      buf_cstr(&path), buf_cstr(&json), err);
    buf_fini(&path);
    buf_fini(&json);
    return rc;
}
