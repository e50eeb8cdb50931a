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
#include <time.h>

#include <microhttpd.h>

#define TLS_OPTIONS 4

struct tls;

/* Is it "credential:NAME"? */
bool tls_is_credential(const char *name);
/* "PATH", or "credential:NAME": a file that systemd has put into $CREDENTIALS_DIRECTORY. NULL:
 * `error` says why. One that has expired is served all the same (tls_is_late()): without it nobody
 * at all would be. */
struct tls *tls_new(const char *certificate, const char *key, char *error, size_t error_size);
/* False: `error` says why, and the one before stays; so too in place of one that has expired. */
bool tls_read(struct tls *t, char *error, size_t error_size);
/* It is served all the same: is it out of its time? Can every user of this machine read the key?
 * True: `why` says what to do. */
bool tls_is_late(const struct tls *t, char *why, size_t size);
bool tls_is_exposed(const struct tls *t, char *why, size_t size);
/* Until when the one in use is good. */
time_t tls_ends(const struct tls *t);
/* What MHD_start_daemon() takes with MHD_USE_TLS; `t` is used until the daemon has stopped. One at
 * a time. */
void tls_options(struct MHD_OptionItem out[TLS_OPTIONS], struct tls *t);
/* NULL allowed. */
void tls_free(struct tls *t);

#endif
