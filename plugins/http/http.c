/* http.c - the plugin's descriptor. The server does the work (server.c). */
#include "http.h"

#include "server.h"
#include "setup.h"

static int start(const struct pw_host *host, void **self, char *error, size_t error_size)
{
    struct server *s = NULL;
    int rc = server_start(&s, host, error, error_size);
    *self = s;
    return rc;
}

static void changed(void *self, int64_t head_seq)
{
    server_changed(self, head_seq);
}

static int reload(void *self, char *error, size_t error_size)
{
    return server_reload(self, error, error_size);
}

static void stop(void *self, pw_done_fn *done, void *arg)
{
    server_stop(self, done, arg);
}

static const char *const KEYS[] = { "listen",   "socket",    "socket_scopes", "certificate",
                                    "key",      "max_body",  "max_header",    "max_connections",
                                    "patience", "heartbeat", "retry_ms",      NULL };

__attribute__((visibility("default"))) const struct pw_plugin pathway_plugin_http = {
    .abi_major = PW_ABI_MAJOR,
    .abi_minor = PW_ABI_MINOR,
    .name = "http",
    .keys = KEYS,
    .start = start,
    .changed = changed,
    .stop = stop,
    .reload = reload,
    .check = setup_check,
    .check_files = setup_check_files,
};
