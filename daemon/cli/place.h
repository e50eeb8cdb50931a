/*
 * place.h - where answers come from: a daemon, or a database with no daemon.
 *
 * Questions are those of engine/question.h; to a daemon they go by their HTTP routes.
 */
#ifndef PATHWAY_CLI_PLACE_H
#define PATHWAY_CLI_PLACE_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/client.h"
#include "cli/options.h"
#include "engine/engine.h"
#include "engine/question.h"

struct place;

/* By --database, --url and the environment. Nothing is asked yet, so a daemon may still prove
 * absent. */
MUST_CHECK enum err_code place_open(struct place **out, const struct args *args, struct err *err);
void place_close(struct place *p);

/* A parameter of a question; one with a NULL value is left out. A list ends with a NULL name. */
struct param {
    const char *name;
    const char *value;
};

/* Append the answer. ERR_INPUT, ERR_ABSENT: about the question; others: it could not be asked. */
MUST_CHECK enum err_code place_ask(struct buf *out, struct place *p, const char *question,
                                   const struct param *params, struct err *err);
/* The same, written to `to` as it comes. */
MUST_CHECK enum err_code place_print(FILE *to, struct place *p, const char *question,
                                     const struct param *params, struct err *err);

/* Ask with parameters that are a JSON object already, but for the format of the answer: to a daemon
 * they go as the body of a POST. */
MUST_CHECK enum err_code place_ask_json(struct buf *out, struct place *p, const char *question,
                                        const char *format, const struct buf *params,
                                        struct err *err);
/* The rules in force are those that last judged the database, not those of a folder. Before
 * anything is asked. */
void place_use_rules_in_force(struct place *p);
/* With --database: who wants to know how far the answer to a long question has come. */
void place_on_progress(struct place *p, reader_progress_fn *fn, void *arg);

/* Keep, or with NULL `details` (a JSON object) erase, what a person's key stands for. */
MUST_CHECK enum err_code place_person(struct place *p, const char *key, const char *details,
                                      struct err *err);

/*
 * Have something changed outside the log: to a daemon by a route, with `json` as the body of a POST
 * or PUT; in a database by the command `name` of engine_command(), with `json` as its parameters.
 * The answer is appended to `out` (NULL: not).
 */
MUST_CHECK enum err_code place_command(struct buf *out, struct place *p, const char *name,
                                       const char *method, const char *path, const char *json,
                                       struct err *err);

/* The connection to the daemon, or NULL with --database. Borrowed. */
struct client *place_client(struct place *p);
/* With --database: the engine, opened at first use (one writer at a time: no daemon may have
 * it). */
MUST_CHECK enum err_code place_engine(struct engine **out, struct place *p, struct err *err);

/* --rules, else this source tree's if it is there, else /etc/pathwayd/rules. */
const char *rules_folder(const char *given);

#endif
