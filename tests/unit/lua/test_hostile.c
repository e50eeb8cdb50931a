/* test_hostile.c - tests/data/hostile: packs that mean harm, or whose author was unlucky. Each file
 * is what one function does, and its first line has a part of what must be said of it. */
#include "tests/unit/lua/support.h"

#include <dirent.h>
#include <time.h>

#include "lua/state.h"

#define HOSTILE PATHWAY_SOURCE_DIR "/tests/data/hostile/"

static const char PACK[] =
    "local bad = import('bad').bad\n"
    "return pack { name = 'hostile', version = '1',\n"
    "events = { go = { title = 'Go', subject = 'school', data = { word = optional(text) } },\n"
    "           fine = { title = 'Fine', subject = 'school', data = {} } },\n"
    "facts = { school = { n = initially(0, int), x = set(text), y = set(int), l = list(text), t = "
    "text,\n"
    "                     m = map(int, text), moved = bool } },\n"
    "on = { school = { go = %s, fine = function(s, e) s.n = s.n + 1 end } },\n"
    "moves = { school = { moved = once(%s) } },\n"
    "rules = { other = rule { 'Other', source = 's', function(s) return s.n end },\n"
    "          bad = rule { 'Bad', source = 's', %s } } }\n";

/* IN_SHARED: the whole file that has the function, with what stands around that. */
enum place { AT_LOAD, IN_RULE, IN_REDUCER, IN_MOVE, IN_SHARED };
static const char *const FOLDERS[] = { "load", "rule", "reducer", "move", "shared" };

struct scene {
    char name[100], code[300000], expects[200];
    enum place place;
    struct ruleset *rs;
    char said[8192];
};
static struct scene S;

static void read_scene(enum place place, const char *name)
{
    char path[300], text[sizeof(S.code) - 100];
    const char *nothing = "function() return false end";

    S.place = place;
    snprintf(S.name, sizeof(S.name), "%s/%s", FOLDERS[place], name);
    snprintf(path, sizeof(path), HOSTILE "%s", S.name);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t len = fread(text, 1, sizeof(text) - 1, in);
    fclose(in);
    text[len] = '\0';
    char *line_end = strchr(text, '\n');
    assert_non_null(line_end);
    assert_memory_equal(text, "-- expects: ", 12);
    snprintf(S.expects, sizeof(S.expects), "%.*s", (int)(line_end - text - 12), text + 12);
    if (place == AT_LOAD)
        snprintf(S.code, sizeof(S.code), "%s",
                 strcmp(line_end + 1, "@bytecode\n") == 0 ? "\x1bLuaT" : text);
    else if (place == IN_SHARED)
        snprintf(S.code, sizeof(S.code), "%s", text);
    else
        snprintf(S.code, sizeof(S.code),
                 "return { bad = function(s, e) do %s\nend return false end }\n", text);
    S.place = place == IN_SHARED ? IN_RULE : place;
    place = S.place;
    char pack[4096];
    snprintf(pack, sizeof(pack), PACK, place == IN_REDUCER ? "bad" : nothing,
             place == IN_MOVE ? "bad" : nothing, place == IN_RULE ? "bad" : nothing);
    const struct pack_file files[] = { { "pack.lua", pack }, { "bad.lua", S.code } };
    S.said[0] = '\0';
    S.rs = load_files(files, 2, S.said, sizeof(S.said));
    if (!S.rs || getenv("PATHWAY_HOSTILE_WHOLE"))
        return;
    if (strstr(S.expects, "too deep") || strstr(S.expects, "text longer"))
        return;
    S.rs->sandbox.most_memory = (size_t)4 << 20; /* else it would take a while */
    if (!strstr(S.expects, "memory"))
        S.rs->sandbox.most_steps = 1000000;
}

/* What a record says after an event that does harm and one that does none; as fold.c does it. */
static void tell(struct record **r, bool counts, const char *type)
{
    struct fold_event e = {
        .time = at("2025-10-01"), .type = type, .source = "s", .id = "1", .subject = SCHOOL
    };
    static const struct json DATA = { .type = JSON_OBJECT };
    int64_t wake;
    bool known;
    enum err_code rc;

    e.data = &DATA;
    S.rs->sandbox.counts = S.rs->sandbox.is_strict = counts;
    do {
        record_free(*r);
        *r = new_record(S.rs, SCHOOL);
        rc = record_apply(&known, *r, &e, &err);
        if (rc == OK)
            rc = record_ask(&wake, *r, e.time, false, NULL, NULL, &err);
    } while (rc == ERR_BUSY);
    ruleset_trust(S.rs);
    if (rc != OK)
        snprintf(S.said, sizeof(S.said), "%s", err.msg);
}

static char other[64];

static void take_both(const struct judged *j, void *arg)
{
    (void)arg;
    if (strcmp(j->name, "other") == 0)
        snprintf(other, sizeof(other), "%s", j->value);
    else if (strcmp(j->name, "bad") == 0)
        snprintf(S.said, sizeof(S.said), "%s%s", j->is_error ? "error " : "", j->value);
}

/* The message, or the value, of the rule `bad`; in another way of counting, the same. */
static const char *verdict(bool counts)
{
    struct record *r = NULL;
    static char value[4096];

    S.said[0] = '\0';
    tell(&r, counts, S.place == IN_RULE ? "fine" : "go");
    if (S.place != IN_RULE && S.said[0]) { /* what failed is left out; the others go on */
        char said[sizeof(S.said)];
        memcpy(said, S.said, sizeof(said));
        if (S.place == IN_REDUCER) {
            tell(&r, counts, "fine");
            assert_decision(r, "2025-10-02", "other", "1");
        }
        memcpy(S.said, said, sizeof(said));
    } else {
        S.rs->sandbox.counts = counts;
        assert_ok(record_judge(r, at("2025-10-02"), take_both, NULL, &err));
        assert_string_equal(other, S.place == IN_RULE ? "1" : "0");
    }
    record_free(r);
    snprintf(value, sizeof(value), "%.4000s", S.said);
    return value;
}

static int complaints;

static void complain(const char *what, const char *said)
{
    print_message("%s: expected %s, ", S.name, S.expects);
    print_message(what, said);
    print_message("\n");
    complaints++;
}

static void check_scene(void)
{
    if (!S.rs) {
        if (!strstr(S.said, S.expects))
            complain("found %s", S.said);
        if (!strstr(S.said, "national/")) /* file and line */
            complain("no place: %s", S.said);
        return;
    }
    char idle[4096];
    snprintf(idle, sizeof(idle), "%s", verdict(false));
    const char *busy = verdict(true);
    if (strcmp(idle, busy) != 0)
        complain("%s, and otherwise when all is counted", idle);
    if (!strstr(idle, S.expects))
        complain("found %s", idle);
    bool is_value = S.place == IN_RULE && strncmp(idle, "error ", 6) != 0;
    if (S.expects[0] && !strstr(idle, "national/") && S.place != AT_LOAD && !is_value)
        complain("no place: %s", idle);
    ruleset_free(S.rs);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void check_folder(enum place place)
{
    char path[300];
    struct dirent **names;
    const char *only = getenv("PATHWAY_HOSTILE");

    snprintf(path, sizeof(path), HOSTILE "%s", FOLDERS[place]);
    int count = scandir(path, &names, NULL, by_name);
    assert_true(count > 2);
    for (int i = 0; i < count; i++) {
        if (strstr(names[i]->d_name, ".lua") && (!only || strstr(names[i]->d_name, only))) {
            clock_t began = clock();
            read_scene(place, names[i]->d_name);
            check_scene();
            double took = (double)(clock() - began) / CLOCKS_PER_SEC;
            if (getenv("PATHWAY_HOSTILE_TOLD"))
                print_message("%5.2fs %s: %.120s\n", took, S.name, S.said);
        }
        free(names[i]);
    }
    free(names);
    assert_int_equal(complaints, 0);
}

static void while_loading(void **state)
{
    (void)state;
    check_folder(AT_LOAD);
}

static void in_rules(void **state)
{
    (void)state;
    check_folder(IN_RULE);
}

static void in_reducers(void **state)
{
    (void)state;
    check_folder(IN_REDUCER);
}

static void in_moves(void **state)
{
    (void)state;
    check_folder(IN_MOVE);
}

static void in_what_functions_share(void **state)
{
    (void)state;
    check_folder(IN_SHARED);
}

TEST_MAIN(CASE(while_loading), CASE(in_rules), CASE(in_reducers), CASE(in_moves),
          CASE(in_what_functions_share))
