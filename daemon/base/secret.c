/* secret.c - see secret.h. */
#include "base/secret.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#define SECRET_BYTES 32

void secret_new(char out[SECRET_TEXT])
{
    uint8_t bytes[SECRET_BYTES];
    char text[SECRET_TEXT];

    random_bytes(bytes, sizeof(bytes));
    sodium_bin2base64(text, sizeof(text), bytes, sizeof(bytes),
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(out, SECRET_TEXT, "pathway_%.43s", text);
    sodium_memzero(bytes, sizeof(bytes));
    sodium_memzero(text, sizeof(text));
}

void secret_digest(uint8_t out[DIGEST_BYTES], const char *text)
{
    static const char PURPOSE[] = "access token"; /* so that no other digest equals it */
    const struct digest_part parts[] = { { PURPOSE, sizeof(PURPOSE) - 1 }, { text, strlen(text) } };

    digest_parts(out, NULL, parts, 2);
}

bool digest_is_same(const uint8_t a[DIGEST_BYTES], const uint8_t b[DIGEST_BYTES])
{
    return sodium_memcmp(a, b, DIGEST_BYTES) == 0;
}

bool digest_from_hex(uint8_t out[DIGEST_BYTES], const char *hex)
{
    size_t len = 0;

    return sodium_hex2bin(out, DIGEST_BYTES, hex, strlen(hex), NULL, &len, NULL) == 0 &&
           len == DIGEST_BYTES;
}

void secret_wipe(void *bytes, size_t len)
{
    sodium_memzero(bytes, len);
}
