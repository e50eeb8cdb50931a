/* log.c - see log.h. The level is the one thing kept; a line is built on the stack and written
 * at once. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/clock.h"

#define LINE_MAX_BYTES 4096

static const char *const NAMES[] = { "err", "warn", "info", "debug" };
static const char *const PRIORITIES[] = { "<3>", "<4>", "<6>", "<7>" };
static atomic_int chosen_level = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&chosen_level, (int)level);
}

bool log_level_parse(enum log_level *out, const char *name)
{
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* JOURNAL_STREAM is inherited; it holds only where standard error still is that very stream. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char text[64];

    if (!stream || fstat(STDERR_FILENO, &st) != 0)
        return false;
    snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, text) == 0;
}

static int write_prefix(char *out, size_t size, enum log_level level)
{
    char time[TIME_TEXT];
    struct clock real;

    if (is_journal())
        return snprintf(out, size, "%s", PRIORITIES[level]);
    clock_init_real(&real);
    return snprintf(out, size, "%s %s ", time_text(clock_now(&real), time), NAMES[level]);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;

    if ((int)level > atomic_load(&chosen_level))
        return;
    size_t len = (size_t)write_prefix(line, sizeof(line), level);
    va_start(args, fmt);
    int more = vsnprintf(line + len, sizeof(line) - len, fmt, args);
    va_end(args);
    if (more < 0)
        return;
    size_t end = len + (size_t)more < sizeof(line) ? len + (size_t)more : sizeof(line) - 1;
    for (; len < end; len++) { /* a name with a line break must not forge a line */
        if ((unsigned char)line[len] < 0x20 || line[len] == 0x7f)
            line[len] = ' ';
    }
    line[end] = '\n';
    for (size_t done = 0; done < end + 1;) {
        ssize_t n = write(STDERR_FILENO, line + done, end + 1 - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) /* nobody reads it: there is nowhere left to say so */
            return;
        done += (size_t)n;
    }
}
