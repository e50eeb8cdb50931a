/*
 * pair.h - a certificate with its key, read from two PEM files, and what is wrong with them in
 * words that say what to do.
 */
#ifndef HTTP_PAIR_H
#define HTTP_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#define CHAIN_MAX 16

struct pair {
    struct pair *before; /* the owner's */
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned chain_len;
    gnutls_privkey_t key;
    time_t begins, ends; /* what the server's own certificate says */
    bool is_exposed;     /* every user of this machine can read the key */
};

/* `certificate` and `key` are paths. NULL: `error` names the file, what is wrong with it, and what
 * to do. */
struct pair *pair_read(const char *certificate, const char *key, char *error, size_t error_size);
/* Is it good at this moment? False: `error` says since when or until when not. */
bool pair_is_good_now(const struct pair *p, const char *certificate, char *error,
                      size_t error_size);
/* Can nobody else read the key? False: `error` says what to do. */
bool pair_is_private(const struct pair *p, const char *key, char *error, size_t error_size);
/* Do both hold the same certificates, and so the same key? */
bool pair_is_same(const struct pair *a, const struct pair *b);
/* NULL allowed. */
void pair_free(struct pair *p);

#endif
