/*
 * secrets.h - the keys with which webhooks are signed (Standard Webhooks 1.0, symmetric).
 *
 * No endpoint's secret is stored: it follows from a master key, in a file of its own or a systemd
 * credential, and from what the database holds of the endpoint. So neither a database nor its
 * backup gives away any secret, and both are needed to sign.
 */
#ifndef WEBHOOK_SECRETS_H
#define WEBHOOK_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECRET_BYTES 32
#define SECRET_TEXT  64 /* "whsec_", base64, NUL */
#define SIGN_TEXT    64 /* "v1,", base64, NUL */
#define MARK_TEXT    17

struct master {
    uint8_t key[SECRET_BYTES];
};

/*
 * Read the master key: $CREDENTIALS_DIRECTORY/webhook-key if there is one, else `path`, which is
 * made, readable by its owner only, when it is not there (*is_new). False: `error` says why.
 */
bool master_load(struct master *out, const char *path, bool *is_new, char *error, size_t size);
/* Read the one in this file. False: `error` says why. */
bool master_read(struct master *out, const char *path, char *error, size_t size);
/* Can nobody else read it? False: `error` says what to do. */
bool master_is_private(const char *path, char *error, size_t size);
/* Tells one master key from another, without giving it away. */
void master_mark(const struct master *m, char out[MARK_TEXT]);

/* The secret of an endpoint (`uid`, random and its own for good) in its rotation `serial`. */
void secret_derive(uint8_t out[SECRET_BYTES], const struct master *m, const char *uid, int serial);
/* As receivers want it: "whsec_...". */
void secret_text(char out[SECRET_TEXT], const uint8_t secret[SECRET_BYTES]);

/* "v1,..." over ID.TIMESTAMP.BODY. */
void sign(char out[SIGN_TEXT], const uint8_t secret[SECRET_BYTES], const char *id,
          long long timestamp, const char *body, size_t len);

#endif
