/* generate.c - pathway-generate: an invented decade of events, the same for the same options. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "story.h"

static const char USAGE[] =
    "usage: pathway-generate (--register FILE --hubs FILE [--links FILE] | --schools N) [options]\n"
    "\n"
    "Writes invented events as NDJSON to standard output, in the order in which they\n"
    "would have arrived. The same options give the same bytes.\n"
    "\n"
    "  --register FILE   schools of a register, as it is downloaded\n"
    "  --hubs FILE       CSV 'code,hub': which hub has which local authority (or URN)\n"
    "  --links FILE      the register's links: which school became which academy\n"
    "  --schools N       invent N schools instead\n"
    "  --hub-size N      invented schools to a hub (400)\n"
    "  --registrations   write school.registered too, for each school\n"
    "  --from YEAR       the first academic year (2015/16)\n"
    "  --to DATE         the last day on which something is told (2026-11-24)\n"
    "  --seed N          another story (1)\n"
    "  --help            this text\n";

struct options {
    const char *registry, *hubs, *links;
    long schools, hub_size, seed;
    bool with_registrations;
    int from;
    int32_t to;
};

static enum err_code number(long *out, const char *name, const char *s, long min, struct err *err)
{
    char *end;

    errno = 0;
    *out = strtol(s, &end, 10);
    if (errno != 0 || *s == '\0' || *end != '\0' || *out < min || *out > 10000000)
        return err_set(err, ERR_INPUT, "--%s: '%s' is not a number from %ld to 10000000", name, s,
                       min);
    return OK;
}

static const struct option OPTIONS[] = {
    { "register", required_argument, NULL, 'r' },
    { "hubs", required_argument, NULL, 'h' },
    { "links", required_argument, NULL, 'l' },
    { "schools", required_argument, NULL, 'n' },
    { "hub-size", required_argument, NULL, 'z' },
    { "registrations", no_argument, NULL, 'g' },
    { "from", required_argument, NULL, 'f' },
    { "to", required_argument, NULL, 't' },
    { "seed", required_argument, NULL, 's' },
    { "help", no_argument, NULL, 'H' },
    { 0 },
};

static enum err_code take_option(struct options *o, int which, const char *arg, struct err *err)
{
    switch (which) {
    case 'r':
        o->registry = arg;
        return OK;
    case 'h':
        o->hubs = arg;
        return OK;
    case 'l':
        o->links = arg;
        return OK;
    case 'n':
        return number(&o->schools, "schools", arg, 1, err);
    case 'z':
        return number(&o->hub_size, "hub-size", arg, 1, err);
    case 'g':
        o->with_registrations = true;
        return OK;
    case 'f':
        return year_parse(&o->from, arg, strlen(arg), err);
    case 't':
        return day_parse(&o->to, arg, strlen(arg), err);
    case 's':
        return number(&o->seed, "seed", arg, 0, err);
    default:
        return err_set(err, ERR_INPUT, "unknown option; see --help");
    }
}

static enum err_code check(const struct options *o, struct err *err)
{
    if ((o->registry != NULL) == (o->schools > 0))
        return err_set(err, ERR_INPUT, "give either --register FILE or --schools N; see --help");
    if (o->registry && !o->hubs)
        return err_set(err, ERR_INPUT, "--register needs --hubs FILE; see --help");
    if (o->to <= day_from_ymd(o->from, 9, 1))
        return err_set(err, ERR_INPUT, "--to must be after the start of --from");
    return OK;
}

static enum err_code generate(const struct options *o, struct err *err)
{
    int64_t end = london_midnight(o->to + 1);
    struct cast cast = { 0 };
    struct tape tape;
    struct telling telling = { .tape = &tape, .cast = &cast, .first_year = o->from };

    tape_init(&tape, end);
    dice_init(&telling.dice, (uint64_t)o->seed);
    telling.last_year = year_at(end - 1);
    enum err_code rc = o->registry
                           ? cast_read(&cast, o->registry, o->hubs, o->links, err)
                           : cast_invent(&cast, (int)o->schools, (int)o->hub_size, o->from, err);
    if (rc == OK) {
        story_tell(&telling, o->with_registrations);
        rc = tape_write(&tape, stdout, err);
    }
    tape_fini(&tape);
    cast_fini(&cast);
    return rc;
}

static int report(const struct err *err, int code)
{
    fprintf(stderr, "pathway-generate: %s\n", err->msg);
    return code;
}

int main(int argc, char **argv)
{
    struct options o = { .hub_size = 400, .seed = 1, .from = 2015 };
    struct err err = { 0 };
    int which;

    if (civil_init(&err) != OK)
        return report(&err, 3);
    o.to = day_from_ymd(2026, 11, 24);
    opterr = 0;
    while ((which = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        if (which == 'H') {
            fputs(USAGE, stdout);
            return 0;
        }
        if (take_option(&o, which, optarg, &err) != OK)
            return report(&err, 2);
    }
    if (optind < argc && err_set(&err, ERR_INPUT, "'%s' is not an option", argv[optind]))
        return report(&err, 2);
    if (check(&o, &err) != OK)
        return report(&err, 2);
    enum err_code rc = generate(&o, &err);
    return rc == OK ? 0 : report(&err, rc == ERR_INPUT ? 2 : 3);
}
