/* test_hubs.c - every moment is judged by the rules of the hub that the subject belonged to
 * then. */
#include "tests/unit/engine/support.h"

static const char NATIONAL[] =
    "return pack { name = 'national', params = { needed = 2 },\n"
    "events = {\n"
    "  at = { title = 'A', subject = { 'school', 'group' }, data = { hub = optional(hub) } },\n"
    "  go = { title = 'G', subject = { 'school', 'hub' }, data = { year = year, n = int } } },\n"
    "facts = { school = { hub = hub, total = initially(0, int), big = bool, real = number,\n"
    "    years = map(year, set(int)), rows = list(row { n = int, t = optional(text) }) },\n"
    "  group = { hub = hub } },\n"
    "on = { school = { at = function(s, e) s.hub = e.data.hub end,\n"
    "    go = function(s, e)\n"
    "      s.total = s.total + e.data.n  s.real = 0.5\n"
    "      s.years[e.data.year]:add(e.data.n)\n"
    "      s.rows:add { n = e.data.n }\n"
    "    end },\n"
    "  group = { at = function(g, e) g.hub = e.data.hub end } },\n"
    "moves = { school = { big = once(function(s) return s.total >= s.param.needed end) } },\n"
    "rules = {\n"
    "  is_big = rule { 'Big', source = 's', waivable = true, function(s) return s.big end },\n"
    "  when = rule { 'Since', source = 's', function(s) local t = s:since 'big' return t and "
    "day_of(t) end },\n"
    "  total = shown { 'Total', source = 's' },\n"
    "  g = rule { 'G', of = 'group', source = 's', function(g) return 1 end },\n"
    "  h = rule { 'H', of = 'hub', source = 's', function(h) return 1 end } },\n"
    "open = { needed = tighten } }\n";

static const char AT_07[] =
    "return overlay { hub = '07', params = { needed = 5 },\n"
    "events = { ['h07.note'] = { title = 'N', subject = 'school', data = {} } },\n"
    "facts = { school = { h07_notes = initially(0, int), h07_came = initially(0, int) } },\n"
    "on = { school = {\n"
    "  at = function(s, e) s.h07_came = s.h07_came + 1 end,\n"
    "  ['h07.note'] = function(s, e) s.h07_notes = s.h07_notes + 1 end } },\n"
    "rules = { h07_notes = shown { 'Notes', source = 's' }, h07_came = shown { 'Came', source = "
    "'s' },\n"
    "  h07_g = rule { 'G', of = 'group', source = 's', function(g) return 7 end },\n"
    "  h07_h = rule { 'H', of = 'hub', source = 's', function(h) return 7 end } } }\n";
static const char AT_08[] =
    "return overlay { hub = '08', params = { needed = 3 },\n"
    "rules = { h08_x = rule { 'X', source = 's', function(s) return s.total end } } }\n";

static struct log LOG;

static int begin_log(void **state)
{
    const struct ruleset_file files[] = {
        { .path = "hubs/07/o.lua", .text = AT_07, .len = sizeof(AT_07) - 1 },
        { .path = "hubs/08/o.lua", .text = AT_08, .len = sizeof(AT_08) - 1 },
        { .path = "national/pack.lua", .text = NATIONAL, .len = sizeof(NATIONAL) - 1 },
    };
    (void)state;
    log_begin_files(&LOG, files, 3);
    return 0;
}

static int end_log(void **state)
{
    (void)state;
    log_end(&LOG);
    return 0;
}

static void moves_to(const char *id, const char *time, const char *hub)
{
    char data[40];
    snprintf(data, sizeof(data), "{\"hub\":\"%s\"}", hub);
    put(&LOG, id, time, "school/1", "at", data);
}

static void go(const char *id, const char *time, int n)
{
    char data[60];
    snprintf(data, sizeof(data), "{\"year\":\"2024/25\",\"n\":%d}", n);
    put(&LOG, id, time, "school/1", "go", data);
}

/* All decisions of a subject at a moment: "name=value name=value". */
struct line {
    char text[400];
    size_t len;
};

static void add_decision(const struct judged *j, void *arg)
{
    struct line *l = arg;
    l->len += (size_t)snprintf(l->text + l->len, sizeof(l->text) - l->len, "%s%s=%s",
                               l->len ? " " : "", j->name, j->value);
}

static const char *decisions(const char *subject, const char *moment)
{
    static struct line l;
    struct world *w = view(&LOG, ALL, false);
    struct fold f = { 0 };

    l = (struct line){ 0 };
    assert_ok(fold_subject(&f, LOG.rules, w, subject, at(moment), &err));
    assert_null(f.faults);
    assert_ok(record_judge(f.record, at(moment), add_decision, &l, &err));
    fold_fini(&f);
    world_close(w);
    return l.text;
}

static void a_school_of_no_known_hub_is_judged_nationally(void **state)
{
    (void)state;
    go("a", "2025-01-01", 2);
    assert_string_equal(decisions("school/1", "2025-01-02"),
                        "is_big=true total=2 when=\"2025-01-01\"");
    moves_to("b", "2025-02-01", "99");
    assert_string_equal(decisions("school/1", "2025-02-02"),
                        "is_big=true total=2 when=\"2025-01-01\"");
}

static void each_moment_is_judged_by_the_hub_of_that_moment(void **state)
{
    (void)state;
    moves_to("a", "2025-01-01", "07");
    go("b", "2025-02-01", 3);
    moves_to("c", "2025-03-01", "08");
    assert_string_equal(decisions("school/1", "2025-02-15"),
                        "h07_came=1 h07_notes=0 is_big=false total=3 when=null");
    /* three are enough here, and it is asked when the school comes */
    assert_string_equal(decisions("school/1", "2025-03-01"),
                        "h08_x=3 is_big=true total=3 when=\"2025-03-01\"");
    assert_string_equal(decisions("school/1", "2025-02-28"),
                        "h07_came=1 h07_notes=0 is_big=false total=3 when=null");
}

static void what_has_moved_under_one_hub_stays_moved(void **state)
{
    (void)state;
    moves_to("a", "2025-01-01", "08");
    go("b", "2025-02-01", 3);
    moves_to("c", "2025-03-01", "07");
    assert_string_equal(decisions("school/1", "2025-03-02"),
                        "h07_came=1 h07_notes=0 is_big=true total=3 when=\"2025-02-01\"");
}

/* Its own facts wait for the school; its events are nothing to another hub. */
static void a_hub_remembers_a_school_that_comes_back(void **state)
{
    (void)state;
    moves_to("a", "2025-01-01", "07");
    put(&LOG, "b", "2025-01-02", "school/1", "h07.note", "{}");
    moves_to("c", "2025-02-01", "08");
    put(&LOG, "d", "2025-02-02", "school/1", "h07.note", "{}");
    go("e", "2025-02-03", 1);
    assert_string_equal(decisions("school/1", "2025-02-04"),
                        "h08_x=1 is_big=false total=1 when=null");
    moves_to("f", "2025-03-01", "07");
    assert_string_equal(decisions("school/1", "2025-03-02"),
                        "h07_came=3 h07_notes=1 is_big=false total=1 when=null");
}

/* Every form that a fact can have goes from one state to another and back as it is. */
static void all_facts_are_handed_over(void **state)
{
    struct world *w;
    struct fold f = { 0 };
    struct buf there = { 0 }, back = { 0 };
    (void)state;

    go("a", "2025-01-01", 1);
    go("b", "2025-01-02", 1 << 30);
    moves_to("c", "2025-02-01", "08");
    w = view(&LOG, ALL, false);
    assert_ok(fold_subject(&f, LOG.rules, w, "school/1", at("2025-03-01"), &err));
    assert_ok(record_write_facts(&there, f.record, &err));
    assert_string_equal(
        buf_cstr(&there),
        "{\"big\":true,\"hub\":\"08\",\"real\":0.5,\"rows\":[{\"n\":1},{\"n\":1073741824}],"
        "\"total\":1073741825,\"years\":{\"2024/25\":[1,1073741824]}}");
    fold_fini(&f);
    world_close(w);
    moves_to("d", "2025-02-01T12:00:00Z", "99");
    w = view(&LOG, ALL, false);
    assert_ok(fold_subject(&f, LOG.rules, w, "school/1", at("2025-03-01"), &err));
    assert_ok(record_write_facts(&back, f.record, &err));
    assert_null(strstr(buf_cstr(&back), "\"hub\":\"08\""));
    assert_string_equal(strstr(buf_cstr(&back), "\"real\""), strstr(buf_cstr(&there), "\"real\""));
    fold_fini(&f);
    world_close(w);
    buf_fini(&there);
    buf_fini(&back);
}

static void groups_and_hubs_have_a_hub_too(void **state)
{
    (void)state;
    put(&LOG, "a", "2025-01-01", "group/g", "at", "{\"hub\":\"07\"}");
    put(&LOG, "b", "2025-01-01", "hub/07", "go", "{\"year\":\"2024/25\",\"n\":1}");
    put(&LOG, "c", "2025-01-01", "hub/09", "go", "{\"year\":\"2024/25\",\"n\":1}");
    assert_string_equal(decisions("group/g", "2025-01-02"), "g=1 h07_g=7");
    assert_string_equal(decisions("hub/07", "2025-01-02"), "h=1 h07_h=7");
    assert_string_equal(decisions("hub/09", "2025-01-02"), "h=1");
}

/* ---- a record that takes events in is what a refold makes ---- */

static void expect_same(struct fold *live, const char *moment)
{
    struct line l = { 0 };
    assert_ok(record_judge(live->record, at(moment), add_decision, &l, &err));
    assert_string_equal(l.text, decisions("school/1", moment));
}

static void take(struct fold *f, const char *id, const char *time, const char *type,
                 const char *data)
{
    struct arena arena = { 0 };
    const struct json *json = NULL;
    const char *own = "school/1";

    put(&LOG, id, time, own, type, data);
    assert_ok(json_parse(&json, &arena, data, strlen(data), 64, &err));
    struct fold_event e = { .time = at(time),
                            .type = type,
                            .source = "s",
                            .id = id,
                            .subject = own,
                            .data = json,
                            .as = &own,
                            .as_count = 1 };
    assert_ok(fold_take(f, &e, &err));
    arena_fini(&arena);
    expect_same(f, time);
}

static void taking_events_in_follows_the_hub(void **state)
{
    struct fold f = { 0 };
    (void)state;

    assert_ok(fold_init(&f, LOG.rules, "school/1", NULL, 0, &err));
    take(&f, "a", "2025-01-01", "at", "{\"hub\":\"07\"}");
    take(&f, "b", "2025-01-02", "go", "{\"year\":\"2024/25\",\"n\":3}");
    take(&f, "c", "2025-01-03", "h07.note", "{}");
    take(&f, "d", "2025-01-04", "at", "{\"hub\":\"08\"}");
    assert_int_equal(f.handovers, 2);
    take(&f, "e", "2025-01-05", "at", "{\"hub\":\"07\"}");
    take(&f, "f", "2025-01-06", "h07.note", "{}");
    take(&f, "g", "2025-01-07", "at", "{}");
    expect_same(&f, "2025-02-01");
    fold_fini(&f);
}

#define IN_LOG(test) CASE_WITH(test, begin_log, end_log)

TEST_MAIN(IN_LOG(a_school_of_no_known_hub_is_judged_nationally),
          IN_LOG(each_moment_is_judged_by_the_hub_of_that_moment),
          IN_LOG(what_has_moved_under_one_hub_stays_moved),
          IN_LOG(a_hub_remembers_a_school_that_comes_back), IN_LOG(all_facts_are_handed_over),
          IN_LOG(groups_and_hubs_have_a_hub_too), IN_LOG(taking_events_in_follows_the_hub))
