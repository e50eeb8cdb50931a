/*
 * encode.h - answers as the peer would have them: not at all when it has them already, smaller when
 * it can unpack them.
 */
#ifndef HTTP_ENCODE_H
#define HTTP_ENCODE_H

#include "request.h"

#define ETAG_TEXT 48

/* A strong tag of these bytes, quotes included; `packed`: of their compressed form. */
void etag_make(char out[ETAG_TEXT], const char *bytes, size_t len, bool packed);
/* Does an If-None-Match header name it, in either form? */
bool etag_matches(const char *header, const char *etag);

/* Does an Accept-Encoding header want gzip? NULL: no. */
bool wants_gzip(const char *header);

/* A response of these bytes, compressed as they leave; they become the response's, for free().
 * NULL: no memory, they are still the caller's. */
struct MHD_Response *gzip_response(char *bytes, size_t len);

#endif
