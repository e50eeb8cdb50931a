/*
 * tls.c - see tls.h. GnuTLS asks for the certificate at each handshake, and tells nothing of ours
 * when it does: hence the one variable of this file.
 */
#include "tls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#define CHAIN_MAX  16
#define CREDENTIAL "credential:"
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* One that was read. Handshakes may still be using the one before, so all live until the end. */
struct pair {
    struct pair *before;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned chain_len;
    gnutls_privkey_t key;
};

struct tls {
    char *certificate, *key; /* paths */
    struct pair *now;
};

static const struct tls *in_use;

static char *path_of(const char *name, char *error, size_t size)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char *path = NULL;

    if (strncmp(name, CREDENTIAL, strlen(CREDENTIAL)) != 0) {
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

static bool fail(char *error, size_t size, const char *path, int rc)
{
    snprintf(error, size, "%s: %s", path,
             rc == GNUTLS_E_FILE_ERROR ? strerror(errno) : gnutls_strerror(rc));
    return false;
}

static void pair_free(struct pair *p)
{
    for (unsigned i = 0; i < p->chain_len; i++)
        gnutls_pcert_deinit(&p->chain[i]);
    if (p->key)
        gnutls_privkey_deinit(p->key);
    free(p);
}

static bool read_chain(struct pair *p, const char *path, char *error, size_t size)
{
    gnutls_datum_t text = { 0 };
    unsigned len = CHAIN_MAX;

    int rc = gnutls_load_file(path, &text);
    if (rc == 0) {
        rc = gnutls_pcert_list_import_x509_raw(p->chain, &len, &text, GNUTLS_X509_FMT_PEM, 0);
        p->chain_len = rc == 0 ? len : 0;
    }
    gnutls_free(text.data);
    return rc == 0 || fail(error, size, path, rc);
}

static bool read_key(struct pair *p, const char *path, char *error, size_t size)
{
    gnutls_datum_t text = { 0 };

    int rc = gnutls_load_file(path, &text);
    if (rc == 0)
        rc = gnutls_privkey_init(&p->key);
    if (rc == 0)
        rc = gnutls_privkey_import_x509_raw(p->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (text.data)
        gnutls_memset(text.data, 0, text.size);
    gnutls_free(text.data);
    return rc == 0 || fail(error, size, path, rc);
}

/* A key that is of another certificate would only show at each handshake. */
static bool belong_together(const struct pair *p, const struct tls *t, char *error, size_t size)
{
    gnutls_pubkey_t of_key = NULL;
    unsigned char a[64], b[64];
    size_t a_len = sizeof(a), b_len = sizeof(b);

    int rc = gnutls_pubkey_init(&of_key);
    if (rc == 0)
        rc = gnutls_pubkey_import_privkey(of_key, p->key, 0, 0);
    if (rc == 0)
        rc = gnutls_pubkey_get_key_id(of_key, GNUTLS_KEYID_USE_SHA256, a, &a_len);
    if (rc == 0)
        rc = gnutls_pubkey_get_key_id(p->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, b, &b_len);
    if (of_key)
        gnutls_pubkey_deinit(of_key);
    if (rc != 0)
        return fail(error, size, t->key, rc);
    if (a_len == b_len && memcmp(a, b, a_len) == 0)
        return true;
    snprintf(error, size, "%s is not the key of the certificate %s", t->key, t->certificate);
    return false;
}

bool tls_read(struct tls *t, char *error, size_t size)
{
    struct pair *p = calloc(1, sizeof(*p));

    if (!p) {
        snprintf(error, size, "no memory");
        return false;
    }
    if (!read_chain(p, t->certificate, error, size) || !read_key(p, t->key, error, size) ||
        !belong_together(p, t, error, size)) {
        pair_free(p);
        return false;
    }
    p->before = t->now;
    t->now = p;
    return true;
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
