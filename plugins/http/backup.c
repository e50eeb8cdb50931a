/* backup.c - POST /v1/backup: a copy of the database, as it was when it was asked for. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ask.h"
#include "query.h"
#include "routes.h"

/* The file has no name from here on: it goes when the last of it has been sent, whatever
 * happens. */
static bool reply_file(struct request *r, const char *path)
{
    struct MHD_Response *response = NULL;
    struct stat st;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    unlink(path);
    if (fd >= 0 && fstat(fd, &st) == 0)
        response = MHD_create_response_from_fd64((uint64_t)st.st_size, fd);
    if (!response) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    reply_response(r, 200, "application/vnd.sqlite3", response);
    reply_header(r, "Cache-Control", "no-store");
    reply_header(r, "Content-Disposition", "attachment; filename=\"pathway.db\"");
    r->reply_bytes = (size_t)st.st_size;
    return true;
}

static void send_copy(void *arg, enum pw_status status, const char *text, size_t len)
{
    struct request *r = arg;

    (void)len;
    if (status == PW_LIMIT)
        reply_problem(r, 507, "no-room", text);
    else if (status != PW_OK || !reply_file(r, text))
        reply_status(r, status == PW_OK ? PW_FAILED : status, text);
    request_go_on(r);
}

void post_backup(struct request *r)
{
    struct str params = { 0 };

    str_text(&params, "{");
    if (!query_params(&params, r, NO_PARAMS, false)) {
        str_fini(&params);
        return;
    }
    str_text(&params, "}");
    ask(r, "backup", &params, send_copy);
}
