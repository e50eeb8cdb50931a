/* http.h - the HTTP plugin's one symbol, for the program that links it in. */
#ifndef PATHWAY_HTTP_H
#define PATHWAY_HTTP_H

#include <pathway/plugin.h>

extern const struct pw_plugin pathway_plugin_http;

#endif
