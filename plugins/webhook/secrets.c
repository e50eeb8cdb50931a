/* secrets.c - see secrets.h. */
#include "secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX_LEN (2 * SECRET_BYTES)

/* What the file begins with; -1: it can not be read. A pipe would hold up the loop. */
static ssize_t read_text(char *text, size_t size, const char *path)
{
    struct stat st;
    ssize_t n = -1;

    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0)
        n = S_ISREG(st.st_mode) ? read(fd, text, size) : 0;
    int why = errno;
    close(fd);
    errno = why;
    return n;
}

bool master_read(struct master *out, const char *path, char *error, size_t size)
{
    char text[HEX_LEN + 2] = { 0 };
    size_t got = 0;
    const char *end = NULL;

    ssize_t n = read_text(text, HEX_LEN, path);
    if (n < 0) {
        snprintf(error, size, "can not read the key %s: %s", path, strerror(errno));
        return false;
    }
    if (n == HEX_LEN &&
        sodium_hex2bin(out->key, sizeof(out->key), text, HEX_LEN, NULL, &got, &end) == 0 &&
        got == SECRET_BYTES && end == text + HEX_LEN)
        return true;
    snprintf(error, size,
             "the key %s is none: expected %d hexadecimal digits, as of openssl rand -hex %d", path,
             HEX_LEN, SECRET_BYTES);
    return false;
}

bool master_is_private(const char *path, char *error, size_t size)
{
    struct stat st;

    if (stat(path, &st) != 0 || !(st.st_mode & S_IROTH))
        return true;
    snprintf(error, size,
             "every user of this machine can read the key %s, and sign as this daemon: chmod o-r "
             "it, and pathway webhook rotate what some of them should not know",
             path);
    return false;
}

/* Whole or not at all, also when the power goes: to a file beside it, which then gets its name. */
static bool write_key(struct master *out, const char *path, char *error, size_t size)
{
    char text[HEX_LEN + 2], *beside = NULL;
    int fd = -1;

    randombytes_buf(out->key, sizeof(out->key));
    sodium_bin2hex(text, sizeof(text), out->key, sizeof(out->key));
    text[HEX_LEN] = '\n';
    bool ok = asprintf(&beside, "%s.new", path) > 0;
    if (ok)
        fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ok = fd >= 0 && write(fd, text, HEX_LEN + 1) == HEX_LEN + 1 && fsync(fd) == 0;
    ok = (fd < 0 || close(fd) == 0) && ok && rename(beside, path) == 0;
    if (!ok)
        snprintf(error, size, "can not write the key %s: %s", path, strerror(errno));
    free(beside);
    return ok;
}

bool master_load(struct master *out, const char *path, bool *is_new, char *error, size_t size)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char credential[4096];

    *is_new = false;
    if (sodium_init() < 0) {
        snprintf(error, size, "libsodium can not start");
        return false;
    }
    if (folder) {
        snprintf(credential, sizeof(credential), "%s/webhook-key", folder);
        if (access(credential, F_OK) == 0)
            return master_read(out, credential, error, size);
    }
    *is_new = access(path, F_OK) != 0 && errno == ENOENT;
    return *is_new ? write_key(out, path, error, size) : master_read(out, path, error, size);
}

static void mac(uint8_t out[SECRET_BYTES], const struct master *m, const char *what,
                const char *uid, int serial)
{
    char text[160];

    int len = snprintf(text, sizeof(text), "pathwayd webhook %s %s %d", what, uid, serial);
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, m->key, sizeof(m->key));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)text, (unsigned long long)len);
    crypto_auth_hmacsha256_final(&state, out);
}

void master_mark(const struct master *m, char out[MARK_TEXT])
{
    uint8_t bytes[SECRET_BYTES];

    mac(bytes, m, "mark", "", 0);
    sodium_bin2hex(out, MARK_TEXT, bytes, (MARK_TEXT - 1) / 2);
}

void secret_derive(uint8_t out[SECRET_BYTES], const struct master *m, const char *uid, int serial)
{
    mac(out, m, "secret", uid, serial);
}

static void base64(char *out, size_t size, const uint8_t bytes[SECRET_BYTES])
{
    sodium_bin2base64(out, size, bytes, SECRET_BYTES, sodium_base64_VARIANT_ORIGINAL);
}

void secret_text(char out[SECRET_TEXT], const uint8_t secret[SECRET_BYTES])
{
    memcpy(out, "whsec_", 7);
    base64(out + 6, SECRET_TEXT - 6, secret);
}

void sign(char out[SIGN_TEXT], const uint8_t secret[SECRET_BYTES], const char *id,
          long long timestamp, const char *body, size_t len)
{
    uint8_t bytes[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    char stamp[32];

    int n = snprintf(stamp, sizeof(stamp), ".%lld.", timestamp);
    crypto_auth_hmacsha256_init(&state, secret, SECRET_BYTES);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)id, strlen(id));
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)stamp, (unsigned long long)n);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)body, len);
    crypto_auth_hmacsha256_final(&state, bytes);
    memcpy(out, "v1,", 4);
    base64(out + 3, SIGN_TEXT - 3, bytes);
}
