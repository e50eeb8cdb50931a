/*
 * secret.h - secrets that are made here, shown once and known again by their digest (libsodium).
 */
#ifndef PATHWAY_SECRET_H
#define PATHWAY_SECRET_H

#include <stdbool.h>

#include "base/digest.h"

#define SECRET_TEXT 64 /* enough for one, with its NUL */

/* A new one: "pathway_" and 256 random bits, of letters, digits, '-' and '_'. */
void secret_new(char out[SECRET_TEXT]);
/* What is kept in its place. Secrets are random, so that a plain digest tells nothing of them. */
void secret_digest(uint8_t out[DIGEST_BYTES], const char *text);
/* Takes equally long wherever they differ. */
bool digest_is_same(const uint8_t a[DIGEST_BYTES], const uint8_t b[DIGEST_BYTES]);
/* 64 hex digits to bytes; false: they are not. */
bool digest_from_hex(uint8_t out[DIGEST_BYTES], const char *hex);
/* Forget what was there. */
void secret_wipe(void *bytes, size_t len);

#endif
