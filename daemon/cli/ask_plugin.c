/* ask_plugin.c - see ask_plugin.h. */
#include "cli/ask_plugin.h"

#include <string.h>

#include "cli/client.h"
#include "cli/place.h"

enum err_code ask_plugin(struct buf *out, const struct args *args, const char *question,
                         const char *params, struct err *err)
{
    struct place *place = NULL;
    struct buf route = { 0 };

    if (place_open(&place, args, err) != OK)
        return err->code;
    if (!place_client(place)) {
        place_close(place);
        return err_set(err, ERR_INPUT,
                       "--database has no plugins: this needs a running daemon, by --url");
    }
    buf_str(&route, "/v1/plugins/");
    client_escape(&route, question);
    struct exchange x = { .method = "POST",
                          .path = buf_cstr(&route),
                          .content_type = "application/json",
                          .body = params,
                          .body_len = strlen(params) };
    enum err_code rc = client_call(place_client(place), &x, err);
    if (rc == OK)
        rc = client_check(&x, err);
    if (rc == OK)
        buf_add(out, x.answer.data, x.answer.len);
    exchange_fini(&x);
    buf_fini(&route);
    place_close(place);
    return rc;
}
