/* pathwayd.c - the daemon's main: reads the command line, starts the layers in order. No policy. */
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/http.h"
#include "jsonl/plugin_jsonl.h"
#include "spool/plugin_spool.h"
#include "webhook/plugin_webhook.h"

#include "base/civil.h"
#include "base/digest.h"
#include "base/log.h"
#include "host/config.h"
#include "host/host.h"
#include "host/plugins.h"
#include "lua/rulebook.h"

#define DEFAULT_CONFIG "/etc/pathwayd/pathwayd.conf"

enum { EXIT_DONE = 0, EXIT_NO = 1, EXIT_USAGE = 2 };

static const char USAGE[] =
    "usage: pathwayd [--config FILE] [--now TIME] [--check]\n"
    "\n"
    "Runs the pathway daemon in the foreground until SIGTERM or SIGINT.\n"
    "\n"
    "  --config FILE  the configuration; default " DEFAULT_CONFIG ", or built-in\n"
    "                 values when there is none. PATHWAYD_DAEMON_DATABASE and the like in\n"
    "                 the environment override it.\n"
    "  --now TIME     fix the clock (rehearsals, tests): RFC 3339, or a date, which means its\n"
    "                 start, midnight Europe/London\n"
    "  --check        check configuration and rules, say what is wrong, and exit\n"
    "  --help         this text\n"
    "  --version      the version\n";

static const struct pw_plugin *const LINKED[] = {
    &pathway_plugin_http,
    &pathway_plugin_jsonl,
    &pathway_plugin_spool,
    &pathway_plugin_webhook,
    NULL,
};

struct arguments {
    const char *config; /* NULL: the built-in values */
    const char *now;
    bool only_check;
};

struct looking {
    const struct config *config;
    bool only_check;
};

static const char *const *keys_of(void *arg, const char *name, struct err *why)
{
    const struct looking *l = arg;
    const struct plugin_source from = { LINKED, l->config->plugins };
    const struct pw_plugin *plugin = NULL;

    if (plugin_find(&plugin, &from, name, why) == OK)
        return plugin->keys;
    if (!l->only_check && why->code != ERR_ABSENT) /* one that is there, and can not be used: the
                                                      start tells of it, and does without it */
        *why = (struct err){ 0 };
    return NULL;
}

static enum err_code load_config(struct config *c, const struct arguments *args, struct err *err)
{
    if (config_read(c, args->config, environ, err) != OK)
        return err->code;
    if (!args->config && !config_add_section(c, "plugin http", "built-in configuration"))
        return err_set(err, ERR_LIMIT, "no memory for the configuration");
    struct err more;
    struct looking looking = { c, args->only_check };
    const enum err_code rc = config_check(c, keys_of, &looking, err);
    const struct plugin_source from = { LINKED, c->plugins };
    if (rc != OK && rc != ERR_INPUT)
        return rc;
    const enum err_code checked = plugins_check(c, &from, &more); /* all is told at once */
    if (rc == OK && checked != OK)
        *err = more;
    if (rc == OK && checked == OK && args->only_check)
        return plugins_check_files(c, &from, err);
    return rc == OK ? checked : rc;
}

static enum err_code read_again(struct config *out, void *arg, struct err *err)
{
    return load_config(out, arg, err);
}

static int check_rules(const char *dir)
{
    struct problems problems = { 0 };
    struct rulebook *rs = NULL;
    struct err why = { 0 };

    enum err_code rc = rulebook_load(&rs, dir, NULL, &problems, &why);
    for (const struct problem *p = problems.first; p; p = p->next)
        fprintf(stderr, "%s\n", p->text);
    if (rc != OK && !problems.first)
        fprintf(stderr, "%s\n", why.msg);
    if (rc == OK)
        printf("configuration and rules are in order\n");
    problems_fini(&problems);
    rulebook_free(rs);
    return rc == OK ? EXIT_DONE : EXIT_NO;
}

static enum err_code set_clock(struct clock *clock, const char *now, struct err *err)
{
    int64_t t = 0;

    clock_init_real(clock);
    if (!now)
        return OK;
    if (moment_parse(&t, now, err) != OK)
        return err_at(err, "--now");
    clock_init_fixed(clock, t);
    return OK;
}

static int run(const struct arguments *args)
{
    struct config config = { 0 };
    struct clock clock;
    struct err why = { 0 };
    int status = EXIT_NO;

    if (digest_init(&why) != OK || civil_init(&why) != OK) {
        fprintf(stderr, "pathwayd: %s\n", why.msg);
        return EXIT_NO;
    }
    if (set_clock(&clock, args->now, &why) != OK) {
        fprintf(stderr, "pathwayd: %s\n", why.msg);
        return EXIT_USAGE;
    }
    if (load_config(&config, args, &why) != OK) {
        fprintf(stderr, "%s", config.problems.len > 0 ? buf_cstr(&config.problems) : "");
        if (config.problems.len == 0)
            fprintf(stderr, "pathwayd: %s\n", why.msg);
    } else if (args->only_check) {
        status = check_rules(config.rules);
    } else {
        log_set_level(config.log_level);
        status = host_run(&(struct host_options){ .config = &config,
                                                  .read_config = read_again,
                                                  .arg = (void *)(uintptr_t)args,
                                                  .plugins = { LINKED, config.plugins },
                                                  .clock = clock });
    }
    config_fini(&config);
    return status;
}

/* -1: go on; else the status to exit with. */
static int read_arguments(struct arguments *args, int argc, char **argv)
{
    static const struct option OPTIONS[] = {
        { "config", required_argument, NULL, 'c' }, { "now", required_argument, NULL, 'n' },
        { "check", no_argument, NULL, 'k' },        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'v' },      { NULL, 0, NULL, 0 },
    };

    for (int c; (c = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        switch (c) {
        case 'c':
            args->config = optarg;
            break;
        case 'n':
            args->now = optarg;
            break;
        case 'k':
            args->only_check = true;
            break;
        case 'h':
            fputs(USAGE, stdout);
            return EXIT_DONE;
        case 'v':
            puts("pathwayd " PATHWAY_VERSION);
            return EXIT_DONE;
        default: /* getopt has said what is wrong */
            fputs("Try 'pathwayd --help'.\n", stderr);
            return EXIT_USAGE;
        }
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "pathwayd: unexpected '%s'\nTry 'pathwayd --help'.\n", argv[optind]);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct arguments args = { 0 };

    int status = read_arguments(&args, argc, argv);
    if (status != -1)
        return status;
    if (!args.config && access(DEFAULT_CONFIG, R_OK) == 0)
        args.config = DEFAULT_CONFIG;
    return run(&args);
}
