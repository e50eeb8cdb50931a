/* encode.c - see encode.h. zlib works on a piece for each call, so that the loop never stops for
 * long. */
#include "encode.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>
#include <zlib.h>

#define TAG_BYTES   16
#define GZIP_LEVEL  4 /* beyond it time grows faster than size falls */
#define GZIP_WINDOW (15 + 16)
#define SMALL_BYTES (256u * 1024) /* compressed at once, so that its length can be told */
#define BLOCK_BYTES (32u * 1024)
#define PIECE_BYTES (256u * 1024) /* of the input, for one call */

void etag_make(char out[ETAG_TEXT], const char *bytes, size_t len, bool packed)
{
    unsigned char tag[TAG_BYTES];
    char hex[TAG_BYTES * 2 + 1];

    crypto_generichash(tag, sizeof(tag), (const unsigned char *)bytes, len, NULL, 0);
    sodium_bin2hex(hex, sizeof(hex), tag, sizeof(tag));
    snprintf(out, ETAG_TEXT, "\"%s%s\"", hex, packed ? "-gz" : "");
}

bool etag_matches(const char *header, const char *etag)
{
    for (header += strspn(header, " \t,"); *header; header += strspn(header, " \t,")) {
        if (*header == '*')
            return true;
        if (strncmp(header, "W/", 2) == 0)
            header += 2;
        /* the same bytes, packed or not */
        if (strncmp(header, etag, 1 + TAG_BYTES * 2) == 0)
            return true;
        size_t quote = *header == '"' ? 1 + strcspn(header + 1, "\"") : 0;
        header += quote ? quote + (header[quote] == '"') : strcspn(header, ",");
    }
    return false;
}

bool wants_gzip(const char *header)
{
    bool any = false, named = false, wanted = false;

    for (const char *at = header ? header : ""; *at;) {
        at += strspn(at, " \t,");
        size_t len = strcspn(at, ","), name = strcspn(at, "; \t,");
        const char *q = memmem(at, len, "q=", 2);
        bool is_fine = !q || strtod(q + 2, NULL) > 0;
        if (name == 4 && strncasecmp(at, "gzip", 4) == 0) {
            named = true;
            wanted = is_fine;
        } else if (name == 1 && *at == '*') {
            any = is_fine;
        }
        at += len;
    }
    return named ? wanted : any;
}

struct packing {
    z_stream z;
    char *bytes; /* owned */
    size_t left; /* of them, not given to zlib yet */
};

static bool begin(z_stream *z)
{
    return deflateInit2(z, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) == Z_OK;
}

static void free_packing(void *arg)
{
    struct packing *p = arg;

    deflateEnd(&p->z);
    free(p->bytes);
    free(p);
}

static ssize_t read_packing(void *arg, uint64_t position, char *out, size_t max)
{
    struct packing *p = arg;

    (void)position;
    p->z.next_out = (unsigned char *)out;
    p->z.avail_out = (unsigned)max;
    while (p->z.avail_out == max) {
        if (p->z.avail_in == 0) {
            p->z.avail_in = (unsigned)(p->left < PIECE_BYTES ? p->left : PIECE_BYTES);
            p->left -= p->z.avail_in;
        }
        int rc = deflate(&p->z, p->left == 0 ? Z_FINISH : Z_NO_FLUSH);
        if (rc == Z_STREAM_END && p->z.avail_out == max)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (rc != Z_OK && rc != Z_STREAM_END)
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    return (ssize_t)(max - p->z.avail_out);
}

static struct MHD_Response *pack_at_once(const char *bytes, size_t len)
{
    struct MHD_Response *response = NULL;
    z_stream z = { 0 };

    if (!begin(&z))
        return NULL;
    size_t room = deflateBound(&z, len);
    char *out = malloc(room);
    if (out) {
        z.next_in = (unsigned char *)(uintptr_t)bytes; /* zlib does not write there */
        z.avail_in = (unsigned)len;
        z.next_out = (unsigned char *)out;
        z.avail_out = (unsigned)room;
        if (deflate(&z, Z_FINISH) == Z_STREAM_END)
            response = MHD_create_response_from_buffer(z.total_out, out, MHD_RESPMEM_MUST_FREE);
    }
    deflateEnd(&z);
    if (!response)
        free(out);
    return response;
}

struct MHD_Response *gzip_response(char *bytes, size_t len)
{
    if (len <= SMALL_BYTES) {
        struct MHD_Response *response = pack_at_once(bytes, len);
        if (response)
            free(bytes);
        return response;
    }
    struct packing *p = calloc(1, sizeof(*p));
    if (!p || !begin(&p->z)) {
        free(p);
        return NULL;
    }
    p->z.next_in = (unsigned char *)bytes;
    p->left = len;
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_packing, p, free_packing);
    if (response) {
        p->bytes = bytes;
        return response;
    }
    free_packing(p); /* its bytes are NULL */
    return NULL;
}
