/*
 * digest.h - cryptographic digests (libsodium) and random bytes.
 */
#ifndef PATHWAY_DIGEST_H
#define PATHWAY_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DIGEST_BYTES 32
#define DIGEST_HEX   65 /* with the NUL */

/* Once, before any other thread starts. */
MUST_CHECK enum err_code digest_init(struct err *err);

struct digest_part {
    const void *bytes;
    size_t len;
};
/*
 * BLAKE2b-256 over the parts, each preceded by its length, so that parts can
 * not run together. `key` is NULL or DIGEST_BYTES of secret.
 */
void digest_parts(uint8_t out[DIGEST_BYTES], const uint8_t *key, const struct digest_part *parts,
                  size_t count);
/* 32 bits of SipHash-2-4, keyed with the first 16 bytes of `key`: for tables that nobody may fill
 * with collisions. */
uint32_t digest_short(const uint8_t key[DIGEST_BYTES], const void *bytes, size_t len);
const char *digest_hex(const uint8_t digest[DIGEST_BYTES], char out[DIGEST_HEX]);
void random_bytes(void *out, size_t len);

#endif
