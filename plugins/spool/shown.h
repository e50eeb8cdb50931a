/*
 * shown.h - bytes from outside as text that people and JSON can take.
 *
 * A file's name may hold any byte but / and NUL, and a reason may quote it. What is no UTF-8, and
 * what would act on a terminal or break a line, is written as \xNN. It is never cut within a
 * character.
 */
#ifndef SPOOL_SHOWN_H
#define SPOOL_SHOWN_H

#include <stddef.h>

/* `bytes` ends with NUL; at most size - 1 bytes of the text are kept. */
void shown_copy(char *out, size_t size, const char *bytes);
/* All of it, the caller's to free(); NULL: no memory. */
char *shown_dup(const char *bytes);

#endif
