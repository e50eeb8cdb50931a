/* setup.h - what the configuration asks for: sockets to listen on, and limits. */
#ifndef HTTP_SETUP_H
#define HTTP_SETUP_H

#include "server.h"

/* False: `error` says why; sockets already open are in `s`, the caller's to close. */
bool setup_server(struct server *s, char *error, size_t error_size);

/* pw_plugin.check(): limits, scopes, and that a certificate has a key. */
void setup_check(const struct pw_host *host, struct pw_problems *problems);
/* pw_plugin.check_files(): the certificate and its key. */
void setup_check_files(const struct pw_host *host, struct pw_problems *problems);

#endif
