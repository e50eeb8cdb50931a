/*
 * tls.c - see tls.h. GnuTLS asks for the certificate at each handshake, and tells nothing of ours
 * when it does: hence the one variable of this file.
 */
#include "tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define CREDENTIAL "credential:"
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls {
    char *certificate, *key; /* paths */
    struct pair *now; /* handshakes may still be using those before: all live until the end */
};

static const struct tls *in_use;

bool tls_is_credential(const char *name)
{
    return strncmp(name, CREDENTIAL, strlen(CREDENTIAL)) == 0;
}

static char *path_of(const char *name, char *error, size_t size)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char *path = NULL;

    if (!tls_is_credential(name)) {
        path = strdup(name);
    } else if (!folder) {
        snprintf(error, size, "'%s': systemd has given no credentials ($CREDENTIALS_DIRECTORY)",
                 name);
        return NULL;
    } else if (asprintf(&path, "%s/%s", folder, name + strlen(CREDENTIAL)) < 0) {
        path = NULL;
    }
    if (!path)
        snprintf(error, size, "no memory");
    return path;
}

bool tls_read(struct tls *t, char *error, size_t size)
{
    struct pair *p = pair_read(t->certificate, t->key, error, size);

    if (p && t->now && !pair_is_good_now(p, t->certificate, error, size)) {
        pair_free(p);
        p = NULL;
    }
    if (!p)
        return false;
    if (t->now && pair_is_same(p, t->now)) { /* else each reload would keep one more */
        t->now->is_exposed = p->is_exposed;
        pair_free(p);
        return true;
    }
    p->before = t->now;
    t->now = p;
    return true;
}

bool tls_is_late(const struct tls *t, char *why, size_t size)
{
    return !pair_is_good_now(t->now, t->certificate, why, size);
}

bool tls_is_exposed(const struct tls *t, char *why, size_t size)
{
    return !pair_is_private(t->now, t->key, why, size);
}

time_t tls_ends(const struct tls *t)
{
    return t->now->ends;
}

struct tls *tls_new(const char *certificate, const char *key, char *error, size_t size)
{
    struct tls *t = calloc(1, sizeof(*t));

    if (!t) {
        snprintf(error, size, "no memory");
        return NULL;
    }
    t->certificate = path_of(certificate, error, size);
    t->key = t->certificate ? path_of(key, error, size) : NULL;
    if (t->key && tls_read(t, error, size))
        return t;
    tls_free(t);
    return NULL;
}

static int give(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
                const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
                gnutls_pcert_st **chain, unsigned *chain_len, gnutls_privkey_t *key)
{
    (void)session, (void)authorities, (void)authority_count, (void)algorithms,
        (void)algorithm_count;
    if (!in_use || !in_use->now)
        return -1;
    *chain = in_use->now->chain;
    *chain_len = in_use->now->chain_len;
    *key = in_use->now->key;
    return 0;
}

void tls_options(struct MHD_OptionItem out[TLS_OPTIONS], struct tls *t)
{
    union {
        gnutls_certificate_retrieve_function2 *function;
        void *pointer;
    } callback = { .function = give };

    in_use = t;
    out[0] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, callback.pointer };
    out[1] =
        (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES };
    out[2] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    if (in_use == t)
        in_use = NULL;
    for (struct pair *p = t->now, *before; p; p = before) {
        before = p->before;
        pair_free(p);
    }
    free(t->certificate);
    free(t->key);
    free(t);
}
