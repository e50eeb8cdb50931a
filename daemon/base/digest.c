/* digest.c - see digest.h. Libsodium's generic hash is BLAKE2b. */
#include "base/digest.h"

#include <sodium.h>

enum err_code digest_init(struct err *err)
{
    if (sodium_init() < 0)
        return err_set(err, ERR_IO, "libsodium can not start: the system gives no random bytes");
    return OK;
}

void digest_parts(uint8_t out[DIGEST_BYTES], const uint8_t *key, const struct digest_part *parts,
                  size_t count)
{
    crypto_generichash_state state;

    crypto_generichash_init(&state, key, key ? DIGEST_BYTES : 0, DIGEST_BYTES);
    for (size_t i = 0; i < count; i++) {
        uint8_t len[8]; /* little-endian on every machine */
        for (size_t byte = 0; byte < sizeof(len); byte++)
            len[byte] = (uint8_t)((uint64_t)parts[i].len >> (8 * byte));
        crypto_generichash_update(&state, len, sizeof(len));
        if (parts[i].len > 0)
            crypto_generichash_update(&state, parts[i].bytes, parts[i].len);
    }
    crypto_generichash_final(&state, out, DIGEST_BYTES);
    sodium_memzero(&state, sizeof(state));
}

uint32_t digest_short(const uint8_t key[DIGEST_BYTES], const void *bytes, size_t len)
{
    uint8_t hash[crypto_shorthash_BYTES];

    crypto_shorthash(hash, bytes, len, key);
    return (uint32_t)hash[0] | (uint32_t)hash[1] << 8 | (uint32_t)hash[2] << 16 |
           (uint32_t)hash[3] << 24;
}

const char *digest_hex(const uint8_t digest[DIGEST_BYTES], char out[DIGEST_HEX])
{
    return sodium_bin2hex(out, DIGEST_HEX, digest, DIGEST_BYTES);
}

void random_bytes(void *out, size_t len)
{
    randombytes_buf(out, len);
}
