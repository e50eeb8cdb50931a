/* plugin_spool.h - events from files that are dropped in a folder. Its section is [plugin
 * spool]. */
#ifndef PATHWAY_PLUGIN_SPOOL_H
#define PATHWAY_PLUGIN_SPOOL_H

#include <pathway/plugin.h>

extern const struct pw_plugin pathway_plugin_spool;

#endif
