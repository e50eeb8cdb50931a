/*
 * tls.h - the certificate that TLS is served with, and how it is renewed.
 *
 * The files are read again by tls_read(): connections from then on get the new one, those that are
 * open keep theirs.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <microhttpd.h>

#define TLS_OPTIONS 4

struct tls;

/* "PATH", or "credential:NAME": a file that systemd has put into $CREDENTIALS_DIRECTORY. NULL:
 * `error` says why. */
struct tls *tls_new(const char *certificate, const char *key, char *error, size_t error_size);
/* False: `error` says why, and the one before stays. */
bool tls_read(struct tls *t, char *error, size_t error_size);
/* What MHD_start_daemon() takes with MHD_USE_TLS; `t` is used until the daemon has stopped. One at
 * a time. */
void tls_options(struct MHD_OptionItem out[TLS_OPTIONS], struct tls *t);
/* NULL allowed. */
void tls_free(struct tls *t);

#endif
