/* ask_route.c - see ask_route.h. */
#include "cli/ask_route.h"

#include <string.h>

#include "cli/client.h"
#include "cli/place.h"

enum err_code ask_route(struct buf *out, const struct args *args, const char *method,
                        const char *path, const char *json, struct err *err)
{
    struct place *place = NULL;

    if (place_open(&place, args, err) != OK)
        return err->code;
    if (!place_client(place)) {
        place_close(place);
        return err_set(err, ERR_INPUT,
                       "--database has no plugins: this needs a running daemon, by --url");
    }
    struct exchange x = { .method = method,
                          .path = path,
                          .content_type = json ? "application/json" : NULL,
                          .body = json,
                          .body_len = json ? strlen(json) : 0 };
    enum err_code rc = client_call(place_client(place), &x, err);
    if (rc == OK)
        rc = client_check(&x, err);
    if (rc == OK)
        buf_add(out, x.answer.data, x.answer.len);
    exchange_fini(&x);
    place_close(place);
    return rc;
}
