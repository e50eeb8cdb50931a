/* scrub.c - see internal.h and store.h. Erased bytes live on in the WAL until it is reset, which a
 * reader that stands in it prevents for as long as it reads. */
#include <stdio.h>
#include <sys/stat.h>

#include "store/internal.h"

void scrub_expect(struct store *s)
{
    char path[4096];
    struct stat found;

    int len = snprintf(path, sizeof(path), "%s-wal", s->path);
    if (len > 0 && (size_t)len < sizeof(path) && stat(path, &found) == 0 && found.st_size > 0)
        s->owes_scrub = true;
}

void scrub(struct store *s)
{
    s->owes_scrub = true;
    sqlite3_busy_timeout(s->db, 0); /* rather than keep everybody waiting */
    if (sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) ==
        SQLITE_OK)
        s->owes_scrub = false;
    sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
}

bool store_must_scrub(const struct store *s)
{
    return (s->writer ? writer_store(s->writer) : s)->owes_scrub;
}

enum err_code store_scrub(struct store *s, struct err *err)
{
    struct store *w;

    enum err_code rc = writing_store(&w, s, err);
    if (rc == OK && w->owes_scrub)
        scrub(w);
    return rc;
}
