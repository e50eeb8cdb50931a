/* plugin_jsonl.h - the feed into files, an entry a line. Its section is [plugin jsonl]. */
#ifndef PATHWAY_PLUGIN_JSONL_H
#define PATHWAY_PLUGIN_JSONL_H

#include <pathway/plugin.h>

extern const struct pw_plugin pathway_plugin_jsonl;

#endif
