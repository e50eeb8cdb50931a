/* vectors.h - the published vectors of tests/conformance, as JSON. */
#ifndef PATHWAY_TEST_VECTORS_H
#define PATHWAY_TEST_VECTORS_H

#include "tests/unit/harness.h"

#include "base/json.h"

/* Fails the test when the file can not be read. The tree lives in `into`. */
static inline const struct json *read_vectors(struct arena *into, const char *name)
{
    const struct json *out = NULL;
    struct buf text = { 0 };
    char path[4096], chunk[4096];
    size_t n;

    snprintf(path, sizeof(path), "%s/tests/conformance/%s", PATHWAY_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        buf_add(&text, chunk, n);
    fclose(file);
    assert_ok(json_parse(&out, into, text.data, text.len, 32, &err));
    buf_fini(&text);
    return out;
}

#endif
