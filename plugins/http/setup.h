/* setup.h - what the configuration asks for: sockets to listen on, and limits. */
#ifndef HTTP_SETUP_H
#define HTTP_SETUP_H

#include "server.h"

/* False: `error` says why; sockets already open are in `s`, the caller's to close. */
bool setup_server(struct server *s, char *error, size_t error_size);

#endif
