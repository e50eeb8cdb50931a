/*
 * err.h - one error: a code to act on and a sentence to read.
 *
 * The caller owns a struct err and passes it last. The lowest function that
 * knows the reason writes the sentence; those above pass it on unchanged.
 */
#ifndef PATHWAY_ERR_H
#define PATHWAY_ERR_H

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum err_code {
    OK = 0,
    ERR_INPUT,    /* what was given is wrong: the message says where and what was expected */
    ERR_ABSENT,   /* what was asked for does not exist */
    ERR_CONFLICT, /* it contradicts what is already there */
    ERR_LIMIT,    /* a bound was hit: size, depth, memory, instructions */
    ERR_BUSY,     /* try again later: a full queue, a locked database */
    ERR_RULE,     /* a pack's Lua failed */
    ERR_STORE,    /* the database failed */
    ERR_IO,       /* a file, socket or system call failed */
};

struct err {
    enum err_code code;
    char msg[1024]; /* one line, no newline at its end, cut at this length */
};

/* Write the sentence and return `code`, so that callers can `return err_set(...)`.
 * `err` may be NULL. */
enum err_code err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Put "WHERE: " before the sentence already there, and return its code: for a file and line that
 * only the caller knows. Without an `err` there is no code to know: NULL gives ERR_INPUT. */
enum err_code err_at(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
