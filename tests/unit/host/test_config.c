/* test_config.c - the configuration: what is said, what is meant, what is wrong and where. */
#include "tests/unit/harness.h"

#include <unistd.h>

#include "host/config.h"

static char path[64];
static struct config c;

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/pathway-config-XXXXXX");
    int fd = mkstemp(path);
    memset(&c, 0, sizeof(c));
    return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
    (void)state;
    config_fini(&c);
    return unlink(path);
}

static const char *const *http_only(void *arg, const char *name, struct err *why)
{
    static const char *const KEYS[] = { "listen", "socket", NULL };
    (void)arg;
    if (strcmp(name, "http") == 0)
        return KEYS;
    (void)err_set(why, ERR_ABSENT, "there is no plugin '%s'", name);
    return NULL;
}

static enum err_code load(const char *text, char *const *environment)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    enum err_code rc = config_read(&c, path, environment, &err);
    return rc == OK ? config_check(&c, http_only, NULL, &err) : rc;
}

/* One line of the problems, with PATH for the file's name. */
static void assert_problem(const char *expected)
{
    char line[512], found[2048] = "";
    snprintf(line, sizeof(line), "%s%s\n", path, expected);
    snprintf(found, sizeof(found), "%s", buf_cstr(&c.problems));
    if (!strstr(found, line))
        fail_msg("expected %s in:\n%s", line, found);
}

static void reads_values_and_drops_comments(void **state)
{
    (void)state;
    assert_ok(load("; first\n[daemon]\ndatabase = /x/y.db   ; here\n  log_level = debug\n"
                   "max_body = 2M\n[plugin http]\nlisten = 127.0.0.1:1 [::1]:2\n",
                   NULL));
    assert_string_equal(c.database, "/x/y.db");
    assert_int_equal(c.log_level, LOG_DEBUG);
    assert_int_equal(c.max_body, 2 * 1024 * 1024);
    assert_int_equal(c.max_events, 10000);
    const struct config_section *http = config_section(&c, "plugin http");
    assert_string_equal(config_value(http, "listen"), "127.0.0.1:1 [::1]:2");
    assert_string_equal(config_plugin_name(http), "http");
    assert_null(config_plugin_name(config_section(&c, "daemon")));
}

static void an_empty_section_turns_a_plugin_on(void **state)
{
    (void)state;
    assert_ok(load("[plugin http]\n", NULL));
    assert_non_null(config_section(&c, "plugin http"));
}

static void everything_wrong_is_told_at_once_with_its_line(void **state)
{
    (void)state;
    assert_int_equal(load("x = 1\n[daemon]\ndatabse = /tmp/x\nlog_level = loud\nmax_events = 0\n"
                          "novalue\nrules = a\nrules = b\n[plugin htp]\n[deamon]\n[plugin http]\n"
                          "lisen = 1\nrequired = perhaps\nzzz = 1\n",
                          NULL),
                     ERR_INPUT);
    assert_problem(":1: 'x' stands before the first section, as [daemon]");
    assert_problem(":4: 'log_level' is 'loud'; expected err, warn, info or debug");
    assert_problem(":6: 'novalue' has no value; write 'key = value'");
    assert_problem(":9: there is no plugin 'htp'");
    assert_non_null(
        strstr(buf_cstr(&c.problems), ":3: unknown key 'databse' in [daemon]; did you"));
    assert_non_null(strstr(buf_cstr(&c.problems), ":5: 'max_events' is '0'; expected a whole"));
    assert_non_null(
        strstr(buf_cstr(&c.problems), ":8: 'rules' is given a second time in [daemon]"));
    assert_non_null(strstr(buf_cstr(&c.problems), ":10: unknown section [deamon]"));
    assert_non_null(strstr(buf_cstr(&c.problems), ":12: unknown key 'lisen' in [plugin http]"));
    assert_non_null(
        strstr(buf_cstr(&c.problems), ":14: unknown key 'zzz' in [plugin http]; known "));
    assert_non_null(strstr(buf_cstr(&c.problems), "'required' of [plugin http] is 'perhaps'"));
}

static void the_environment_wins_over_the_file(void **state)
{
    (void)state;
    char database[] = "PATHWAYD_DAEMON_DATABASE=/env.db";
    char listen[] = "PATHWAYD_PLUGIN_HTTP_LISTEN=[::1]:9";
    char other[] = "PATHWAYD=1";
    char *environment[] = { database, other, listen, NULL };
    assert_ok(load("[daemon]\ndatabase = /file.db\n[plugin http]\n", environment));
    assert_string_equal(c.database, "/env.db");
    assert_string_equal(config_value(config_section(&c, "plugin http"), "listen"), "[::1]:9");
}

static void a_wrong_variable_is_named(void **state)
{
    (void)state;
    char wrong[] = "PATHWAYD_DAEMON_LOG_LEVEL=loud";
    char *environment[] = { wrong, NULL };
    assert_int_equal(load("", environment), ERR_INPUT);
    assert_non_null(strstr(err.msg, "environment variable PATHWAYD_DAEMON_LOG_LEVEL: 'log_level'"));
}

static void a_long_line_is_refused_not_cut(void **state)
{
    (void)state;
    char text[6000];
    int len = snprintf(text, sizeof(text), "[daemon]\ndatabase = ");
    memset(text + len, 'x', 5000);
    snprintf(text + len + 5000, 100, "\nlog_level = warn\n");
    assert_int_equal(load(text, NULL), ERR_INPUT);
    assert_non_null(strstr(err.msg, ":2: the line is longer than"));
    assert_int_equal(c.log_level, LOG_WARN);
}

static void a_missing_file_says_so(void **state)
{
    (void)state;
    assert_int_equal(config_read(&c, "/nowhere/x.conf", NULL, &err), ERR_IO);
    assert_string_equal(
        err.msg, "can not read the configuration /nowhere/x.conf: No such file or directory");
}

#define CONFIG_CASE(fn) CASE_WITH(fn, set_up, tear_down)
TEST_MAIN(CONFIG_CASE(reads_values_and_drops_comments),
          CONFIG_CASE(an_empty_section_turns_a_plugin_on),
          CONFIG_CASE(everything_wrong_is_told_at_once_with_its_line),
          CONFIG_CASE(the_environment_wins_over_the_file), CONFIG_CASE(a_wrong_variable_is_named),
          CONFIG_CASE(a_long_line_is_refused_not_cut), CONFIG_CASE(a_missing_file_says_so))
