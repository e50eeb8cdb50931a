/* settings.c - the section [plugin webhook]. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "webhook.h"

#define TIMEOUT_S 20
#define PARALLEL  4

/* The schedule of Standard Webhooks: some three days in all. */
static const int RETRY_S[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };

static const char *value_of(const struct pw_host *host, const char *key)
{
    return host->config(host->ctx, key);
}

static bool read_number(int *out, const struct pw_host *host, const char *key, int low, int high,
                        int otherwise, char *error, size_t size)
{
    const char *text = value_of(host, key);
    char *end = NULL;

    *out = otherwise;
    if (!text)
        return true;
    long n = strtol(text, &end, 10);
    if (end != text && !*end && n >= low && n <= high) {
        *out = (int)n;
        return true;
    }
    snprintf(error, size, "'%s' is '%s'; expected a whole number from %d to %d", key, text, low,
             high);
    return false;
}

static bool read_retries(struct settings *s, const char *text, char *error, size_t size)
{
    s->retry_count = 0;
    for (const char *at = text + strspn(text, " \t"); *at; at += strspn(at, " \t")) {
        char *end = NULL;
        long n = strtol(at, &end, 10);
        if (end == at || (*end && *end != ' ' && *end != '\t') || n < 1 || n > 7 * 86400 ||
            s->retry_count == RETRIES_MAX) {
            snprintf(error, size,
                     "'retry' is '%s'; expected at most %d numbers of seconds, as 5 300 1800", text,
                     RETRIES_MAX);
            return false;
        }
        s->retry_s[s->retry_count++] = (int)n;
        at = end;
    }
    if (s->retry_count > 0)
        return true;
    snprintf(error, size, "'retry' is empty; expected numbers of seconds, as 5 300 1800");
    return false;
}

static bool read_allow(struct settings *s, const struct pw_host *host, char *error, size_t size)
{
    const char *allow = value_of(host, "allow");
    return !allow || networks_parse(&s->net.allow, allow, error, size);
}

static bool read_retry(struct settings *s, const struct pw_host *host, char *error, size_t size)
{
    const char *retry = value_of(host, "retry");
    return !retry || read_retries(s, retry, error, size);
}

static bool read_timeout(struct settings *s, const struct pw_host *host, char *error, size_t size)
{
    return read_number(&s->net.timeout_s, host, "timeout", 1, 300, TIMEOUT_S, error, size);
}

static bool read_parallel(struct settings *s, const struct pw_host *host, char *error, size_t size)
{
    return read_number(&s->parallel, host, "parallel", 1, 64, PARALLEL, error, size);
}

static const struct {
    const char *key;
    bool (*read)(struct settings *s, const struct pw_host *host, char *error, size_t size);
} READERS[] = {
    { "allow", read_allow },
    { "retry", read_retry },
    { "timeout", read_timeout },
    { "parallel", read_parallel },
};
#define READER_COUNT (sizeof(READERS) / sizeof(READERS[0]))

void settings_check(const struct pw_host *host, struct pw_problems *problems)
{
    struct settings s = { 0 };
    char why[512];

    for (size_t i = 0; i < READER_COUNT; i++)
        if (!READERS[i].read(&s, host, why, sizeof(why)))
            host->problem(host->ctx, problems, READERS[i].key, why);
}

void settings_check_files(const struct pw_host *host, struct pw_problems *problems)
{
    const char *key = value_of(host, "key"), *ca = value_of(host, "ca");
    struct master master;
    char why[512];

    if (key && access(key, F_OK) == 0) { /* else it is made at the start */
        if (!master_read(&master, key, why, sizeof(why)) ||
            !master_is_private(key, why, sizeof(why)))
            host->problem(host->ctx, problems, "key", why);
        sodium_memzero(&master, sizeof(master));
    }
    if (!ca || access(ca, R_OK) == 0)
        return;
    snprintf(why, sizeof(why), "can not read the certificates to trust, %s: %s", ca,
             strerror(errno));
    host->problem(host->ctx, problems, "ca", why);
}

bool settings_read(struct settings *s, const struct pw_host *host, char *error, size_t size)
{
    *s = (struct settings){ .key = value_of(host, "key"), .net.ca = value_of(host, "ca") };
    memcpy(s->retry_s, RETRY_S, sizeof(RETRY_S));
    s->retry_count = sizeof(RETRY_S) / sizeof(RETRY_S[0]);
    if (s->net.ca && access(s->net.ca, R_OK) != 0) {
        snprintf(error, size, "'ca' is '%s', which can not be read", s->net.ca);
        return false;
    }
    for (size_t i = 0; i < READER_COUNT; i++)
        if (!READERS[i].read(s, host, error, size))
            return false;
    return true;
}
