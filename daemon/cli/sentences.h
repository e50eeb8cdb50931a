/*
 * sentences.h - the text that a pack is made from, sentence by sentence, and which of them the pack
 * names.
 */
#ifndef PATHWAY_CLI_SENTENCES_H
#define PATHWAY_CLI_SENTENCES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

struct sentence {
    const char *text;    /* as it is written, on one line */
    const char *heading; /* the last line before it that is no sentence, or "" */
    int line;
    bool is_named;
};
struct sentences {
    struct sentence *items; /* the arena's */
    int count;
    struct arena arena;
};

/* Read a text: paragraphs and "- " items of sentences, a line by itself that ends as no sentence
 * does is a heading; lines that begin with # are skipped. ERR_ABSENT: there is no such file.
 * sentences_fini() it in any case. */
MUST_CHECK enum err_code sentences_read(struct sentences *out, const char *path, struct err *err);
void sentences_fini(struct sentences *s);

/* Mark the sentences that `source` quotes between "...", whole or in part; case, spaces and dashes
 * do not count. NULL quotes nothing. */
void sentences_name(struct sentences *s, const char *source);
/* Mark the sentence that is this title, whole. */
void sentences_name_title(struct sentences *s, const char *title);

#endif
