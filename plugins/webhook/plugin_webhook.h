/* plugin_webhook.h - signed deliveries of the feed. Its section is [plugin webhook]. */
#ifndef PATHWAY_PLUGIN_WEBHOOK_H
#define PATHWAY_PLUGIN_WEBHOOK_H

#include <pathway/plugin.h>

extern const struct pw_plugin pathway_plugin_webhook;

#endif
