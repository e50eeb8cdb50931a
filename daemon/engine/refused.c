/* refused.c - see refused.h. "refused/PACK" is the digest, a newline, and what is wrong. Another
 * pathwayd may judge otherwise: its version is a part of the digest, see origins_digest(). */
#include "engine/refused.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "store/meta.h"

#define REFUSED "refused/"

enum err_code refused_keep(struct store *s, const char *asked, const char *pack, const char *why,
                           struct err *err)
{
    struct buf text = { 0 };
    char key[100];

    snprintf(key, sizeof(key), REFUSED "%s", pack);
    buf_printf(&text, "%s\n%s", asked, why);
    enum err_code rc = text.failed ? err_set(err, ERR_LIMIT, "no memory to keep what was refused")
                                   : meta_put(s, key, buf_cstr(&text), err);
    buf_fini(&text);
    return rc;
}

struct finding {
    const char *asked;
    refused_fn *fn;
    void *arg;
};

static enum err_code take(const char *key, const char *text, void *arg, struct err *err)
{
    const struct finding *f = arg;
    size_t len = strlen(f->asked);

    if (strncmp(text, f->asked, len) != 0 || text[len] != '\n')
        return OK;
    return f->fn(key + strlen(REFUSED), text + len + 1, f->arg, err);
}

enum err_code refused_each(struct store *s, const char *asked, refused_fn *fn, void *arg,
                           struct err *err)
{
    struct finding f = { asked, fn, arg };

    return meta_each(s, REFUSED, take, &f, err);
}
