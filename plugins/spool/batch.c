/* batch.c - some events of the file under way, on their way to the host: see spool.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shown.h"
#include "spool.h"

struct sending {
    struct spool *spool;
    char *text; /* lines that are no blank ones */
    size_t len;
    int64_t *lines;  /* the number of each in its file */
    const char **at; /* where each begins */
    size_t *lens;
    size_t count;
    int64_t next_line, next_offset;
};

void sending_free(struct sending *b)
{
    if (!b)
        return;
    free(b->text);
    free(b->lines);
    free(b->at);
    free(b->lens);
    free(b);
}

struct sending *sending_new(struct spool *s, size_t bytes, size_t lines)
{
    struct sending *b = calloc(1, sizeof(*b));

    if (!b)
        return NULL;
    b->spool = s;
    b->text = malloc(bytes + 1);
    b->lines = calloc(lines + 1, sizeof(*b->lines));
    b->at = calloc(lines + 1, sizeof(*b->at));
    b->lens = calloc(lines + 1, sizeof(*b->lens));
    if (b->text && b->lines && b->at && b->lens)
        return b;
    sending_free(b);
    return NULL;
}

void sending_add(struct sending *b, int64_t line, const char *bytes, size_t len)
{
    size_t blank = 0;

    while (blank < len && memchr(" \t\r", bytes[blank], 3)) /* a NUL is none: a file cut off */
        blank++;
    if (blank == len)
        return;
    b->lines[b->count] = line;
    b->at[b->count] = b->text + b->len;
    b->lens[b->count++] = len;
    memcpy(b->text + b->len, bytes, len);
    b->len += len;
    b->text[b->len++] = '\n';
}

static const char *word_for(const struct spool *s)
{
    return file_kind(s->at.name) == KIND_JSON  ? "item"
           : file_kind(s->at.name) == KIND_CSV ? "row"
                                               : "line";
}

/* "line 12, column 4: ..." counts the lines of the batch; the file's is told beside it. */
static const char *without_line(const char *detail)
{
    int end = 0;
    return sscanf(detail, "line %*d, %n", &end) == 0 && end > 0 ? detail + end : detail;
}

void file_refuse(struct spool *s, int64_t line, enum pw_event_status status, const char *detail,
                 const char *bytes, size_t len)
{
    char origin[1100], why[1000];

    shown_copy(why, sizeof(why), detail);
    s->at.counts[status]++;
    if (json_array_size(s->at.refused) < TOLD_MAX)
        json_array_append_new(s->at.refused,
                              json_pack("{s:I, s:s, s:s}", word_for(s), (json_int_t)line, "status",
                                        file_statuses[status], "detail", why));
    snprintf(origin, sizeof(origin), "spool/%s:%lld", s->at.name, (long long)line);
    if (s->host->quarantine(s->host->ctx, origin, why, bytes, len, NULL, NULL) != PW_OK)
        spool_log(s, 1, "not set aside origin=%s", origin);
}

static void take_results(struct sending *b, const struct pw_submit_result *result)
{
    struct spool *s = b->spool;

    for (size_t i = 0; i < result->count && i < b->count; i++) {
        const struct pw_event_result *r = &result->results[i];
        if (r->status == PW_ACCEPTED || r->status == PW_DUPLICATE)
            s->at.counts[r->status]++;
        else
            file_refuse(s, b->lines[i], r->status, without_line(r->detail ? r->detail : ""),
                        b->at[i], b->lens[i]);
    }
}

static void settle(struct sending *b)
{
    struct spool *s = b->spool;

    s->at.line = b->next_line;
    s->at.offset = b->next_offset;
    s->batch_lines = LINES_MAX;
    sending_free(b);
    file_keep(s);
}

static void on_submitted(void *arg, const struct pw_submit_result *result)
{
    struct sending *b = arg;
    struct spool *s = b->spool;

    s->is_busy = false;
    s->sending = NULL;
    if (result->status == PW_OK) {
        take_results(b, result);
        settle(b);
    } else if (result->status == PW_BUSY || result->status == PW_FAILED) {
        sending_free(b);
        spool_later(s);
    } else if (b->count > 1) { /* too much at once, or one of them is: find out which */
        s->batch_lines = 1;
        sending_free(b);
        file_go_on(s);
    } else {
        file_refuse(s, b->lines[0], PW_INVALID, result->error ? result->error : "", b->at[0],
                    b->lens[0]);
        settle(b);
    }
}

void sending_go(struct spool *s, struct sending *b, int64_t next_line, int64_t next_offset)
{
    char name[250], actor[300];

    b->next_line = next_line;
    b->next_offset = next_offset;
    if (b->count == 0) {
        settle(b);
        return;
    }
    shown_copy(name, sizeof(name), s->at.name);
    snprintf(actor, sizeof(actor), "spool:%s", name);
    s->is_busy =
        s->host->submit(s->host->ctx, PW_NDJSON, b->text, b->len, actor, on_submitted, b) == PW_OK;
    if (s->is_busy) {
        s->sending = b;
        return;
    }
    sending_free(b);
    spool_later(s);
}
