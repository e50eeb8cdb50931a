/* pair.c - see pair.h. GnuTLS says "parsing error" of most of what is wrong: the text of the file
 * says more. */
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gnutls/x509.h>

#define FILE_MAX (1024 * 1024)

struct kind {
    const char *name;    /* of the key in the configuration, and of what it names */
    const char *expects; /* as PEM begins */
    const char *convert; /* an openssl command that reads DER */
};
static const struct kind CERTIFICATE = { "certificate", "-----BEGIN CERTIFICATE-----",
                                         "openssl x509 -inform der" };
static const struct kind KEY = { "key", "-----BEGIN PRIVATE KEY-----", "openssl pkey -inform der" };

static bool fail_errno(char *error, size_t size, const char *path, const struct kind *kind)
{
    if (errno == EACCES)
        snprintf(error, size,
                 "%s: %s for user %u: let the group of the daemon read it (chgrp, chmod 640), or "
                 "pass it as a credential of systemd",
                 path, strerror(errno), (unsigned)geteuid());
    else
        snprintf(error, size, "%s: %s; '%s' names it", path, strerror(errno), kind->name);
    return false;
}

/* A pipe or a device would hold up the loop. */
static bool check_stat(const struct stat *st, const char *path, const struct kind *kind,
                       char *error, size_t size)
{
    if (!S_ISREG(st->st_mode))
        snprintf(error, size, "%s is %s, no file; '%s' names it", path,
                 S_ISDIR(st->st_mode) ? "a folder" : "a device or pipe", kind->name);
    else if (st->st_size == 0)
        snprintf(error, size, "%s is empty; expected a %s in PEM: %s", path, kind->name,
                 kind->expects);
    else if (st->st_size > FILE_MAX)
        snprintf(error, size, "%s has %lld bytes, which no %s has", path, (long long)st->st_size,
                 kind->name);
    else
        return true;
    return false;
}

static bool read_all(gnutls_datum_t *out, int fd, size_t len)
{
    size_t got = 0;

    out->data = gnutls_malloc(len + 1);
    if (!out->data) {
        errno = ENOMEM;
        return false;
    }
    while (got < len) {
        ssize_t n = read(fd, out->data + got, len - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0)
            break;
        got += (size_t)n;
    }
    out->data[got] = '\0';
    out->size = (unsigned)got;
    return true;
}

static void forget(gnutls_datum_t *text)
{
    if (text->data)
        gnutls_memset(text->data, 0, text->size);
    gnutls_free(text->data);
    text->data = NULL;
}

/* A text with NUL behind it; `mode` NULL: nobody wants to know. */
static bool read_file(gnutls_datum_t *out, mode_t *mode, const char *path, const struct kind *kind,
                      char *error, size_t size)
{
    struct stat st;

    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool is_read = fd >= 0 && fstat(fd, &st) == 0;
    if (!is_read) {
        fail_errno(error, size, path, kind);
    } else if (!check_stat(&st, path, kind, error, size)) {
        is_read = false;
    } else if (!read_all(out, fd, (size_t)st.st_size)) {
        is_read = fail_errno(error, size, path, kind);
        forget(out);
    } else {
        *mode = st.st_mode;
    }
    if (fd >= 0)
        close(fd);
    return is_read;
}

/* Is there an armour whose name ends so? "PRIVATE KEY" is in "-----BEGIN EC PRIVATE KEY-----". */
static bool has_armour(const gnutls_datum_t *text, const char *name)
{
    const char *at = (const char *)text->data;

    while ((at = strstr(at, "-----BEGIN "))) {
        size_t len = strcspn(at += strlen("-----BEGIN "), "-\r\n"), want = strlen(name);
        if (len >= want && memcmp(at + len - want, name, want) == 0)
            return true;
    }
    return false;
}

/* Why GnuTLS could not read it, in words. */
static bool fail_text(char *error, size_t size, const char *path, const struct kind *kind,
                      const gnutls_datum_t *text, int rc)
{
    const bool wants_key = kind == &KEY;
    const char *bytes = (const char *)text->data;

    if (wants_key &&
        (has_armour(text, "ENCRYPTED PRIVATE KEY") || strstr(bytes, "Proc-Type: 4,ENCRYPTED")))
        snprintf(error, size,
                 "%s is encrypted, and nobody can type its passphrase at a start: openssl pkey -in "
                 "%s -out NEW.key takes it off",
                 path, path);
    else if (rc == GNUTLS_E_SHORT_MEMORY_BUFFER)
        snprintf(error, size, "%s holds more than %d certificates; the chain of one is enough",
                 path, CHAIN_MAX);
    else if (has_armour(text, wants_key ? "PRIVATE KEY" : "CERTIFICATE"))
        snprintf(error, size, "%s is damaged: %s; put the whole file there again", path,
                 gnutls_strerror(rc));
    else if (has_armour(text, wants_key ? "CERTIFICATE" : "PRIVATE KEY"))
        snprintf(error, size, "%s holds a %s, no %s: 'certificate' and 'key' may be exchanged",
                 path, wants_key ? "certificate" : "private key", kind->name);
    else if (has_armour(text, "PUBLIC KEY"))
        snprintf(error, size, "%s holds a public key; expected %s", path, kind->expects);
    else if (has_armour(text, "CERTIFICATE REQUEST"))
        snprintf(error, size,
                 "%s is the request for a certificate; expected the certificate that was issued "
                 "for it",
                 path);
    else if (text->data[0] == 0x30)
        snprintf(error, size, "%s is in DER; expected PEM: %s -in %s -out NEW.pem", path,
                 kind->convert, path);
    else
        snprintf(error, size, "%s is no %s: expected PEM, %s", path, kind->name, kind->expects);
    return false;
}

static bool fail_gnutls(char *error, size_t size, const char *path, int rc)
{
    snprintf(error, size, "%s: %s", path, gnutls_strerror(rc));
    return false;
}

static int read_times(struct pair *p)
{
    gnutls_x509_crt_t own = NULL;

    int rc = gnutls_pcert_export_x509(&p->chain[0], &own);
    if (rc != 0)
        return rc;
    p->begins = gnutls_x509_crt_get_activation_time(own);
    p->ends = gnutls_x509_crt_get_expiration_time(own);
    gnutls_x509_crt_deinit(own);
    return 0;
}

static bool read_chain(struct pair *p, const char *path, char *error, size_t size)
{
    gnutls_datum_t text = { 0 };
    unsigned len = CHAIN_MAX;
    mode_t mode;

    if (!read_file(&text, &mode, path, &CERTIFICATE, error, size))
        return false;
    int rc = gnutls_pcert_list_import_x509_raw(p->chain, &len, &text, GNUTLS_X509_FMT_PEM, 0);
    p->chain_len = rc == 0 ? len : 0;
    if (rc == 0)
        rc = read_times(p);
    bool is_read = rc == 0 || fail_text(error, size, path, &CERTIFICATE, &text, rc);
    forget(&text);
    return is_read;
}

static bool read_key(struct pair *p, const char *path, char *error, size_t size)
{
    gnutls_datum_t text = { 0 };
    mode_t mode = 0;

    if (!read_file(&text, &mode, path, &KEY, error, size))
        return false;
    p->is_exposed = (mode & S_IROTH) != 0;
    int rc = gnutls_privkey_init(&p->key);
    if (rc == 0)
        rc = gnutls_privkey_import_x509_raw(p->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
    bool is_read = rc == 0 || fail_text(error, size, path, &KEY, &text, rc);
    forget(&text);
    return is_read;
}

struct key_id {
    unsigned char bytes[64];
    size_t len;
};

static int id_of(struct key_id *out, gnutls_pubkey_t key)
{
    out->len = sizeof(out->bytes);
    return gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, out->bytes, &out->len);
}

static bool is_same_key(const struct key_id *a, const struct key_id *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* Which of the chain the key is of; -1: of none; < -1 an error of GnuTLS. */
static int place_of_key(const struct pair *p)
{
    gnutls_pubkey_t of_key = NULL;
    struct key_id wanted, id;
    int place = -1;

    int rc = gnutls_pubkey_init(&of_key);
    if (rc == 0)
        rc = gnutls_pubkey_import_privkey(of_key, p->key, 0, 0);
    if (rc == 0)
        rc = id_of(&wanted, of_key);
    for (unsigned i = 0; rc == 0 && place < 0 && i < p->chain_len; i++) {
        rc = id_of(&id, p->chain[i].pubkey);
        if (rc == 0 && is_same_key(&wanted, &id))
            place = (int)i;
    }
    if (of_key)
        gnutls_pubkey_deinit(of_key);
    return rc != 0 ? rc : place;
}

/* A key that is of another certificate would only show at each handshake. */
static bool belong_together(const struct pair *p, const char *certificate, const char *key,
                            char *error, size_t size)
{
    int place = place_of_key(p);

    if (place == 0)
        return true;
    if (place < -1)
        return fail_gnutls(error, size, key, place);
    if (place > 0)
        snprintf(error, size,
                 "%s is the key of certificate %d in %s; the server's own must stand first, and "
                 "those that vouch for it behind it",
                 key, place + 1, certificate);
    else
        snprintf(error, size,
                 "%s is not the key of the certificate %s: put both there as they were issued "
                 "(credentials of systemd are as they were at the start: restart)",
                 key, certificate);
    return false;
}

struct pair *pair_read(const char *certificate, const char *key, char *error, size_t size)
{
    struct pair *p = calloc(1, sizeof(*p));

    if (!p) {
        snprintf(error, size, "no memory");
        return NULL;
    }
    if (read_chain(p, certificate, error, size) && read_key(p, key, error, size) &&
        belong_together(p, certificate, key, error, size))
        return p;
    pair_free(p);
    return NULL;
}

bool pair_is_good_now(const struct pair *p, const char *certificate, char *error, size_t size)
{
    time_t now = time(NULL); /* that of the peers, whatever --now says */
    char text[32];
    struct tm tm;

    if (now >= p->begins && now < p->ends)
        return true;
    bool has_ended = now >= p->ends;
    gmtime_r(has_ended ? &p->ends : &p->begins, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    snprintf(error, size, "the certificate %s %s %s: %s", certificate,
             has_ended ? "expired at" : "is not valid before", text,
             has_ended ? "renew it" : "is the clock right?");
    return false;
}

bool pair_is_private(const struct pair *p, const char *key, char *error, size_t size)
{
    if (!p->is_exposed)
        return true;
    snprintf(error, size,
             "every user of this machine can read the key %s: chmod o-r it, and have another one "
             "made if some of them should not know it",
             key);
    return false;
}

bool pair_is_same(const struct pair *a, const struct pair *b)
{
    bool is_same = a->chain_len == b->chain_len;

    for (unsigned i = 0; is_same && i < a->chain_len; i++) {
        const gnutls_datum_t *x = &a->chain[i].cert, *y = &b->chain[i].cert;
        is_same = x->size == y->size && memcmp(x->data, y->data, x->size) == 0;
    }
    return is_same;
}

void pair_free(struct pair *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->chain_len; i++)
        gnutls_pcert_deinit(&p->chain[i]);
    if (p->key)
        gnutls_privkey_deinit(p->key);
    free(p);
}
