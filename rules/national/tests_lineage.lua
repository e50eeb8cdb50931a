--- Tests: a school that continues another one under a new URN.
-- The old school is school/100001, the usual one of a test; the new one is school/200002.
local t = import "tests_shared"
local all, turn = t.all, t.turn

local OLD, NEW, THIRD = t.SCHOOL, "school/200002", "school/300003"
local BOTH = { "t1", "t2" }

local function succeeded(new, old, time) return { "school.succeeded", time, as = new, predecessor = old } end
local function of(subject, event) return t.with(event, { as = subject }) end

-- A school in the Development phase that became an academy on New Year's Day.
local academy = all { t.developing("2024/25"), succeeded(NEW, OLD, "2025-01-01") }

-- Every event that is a mistake for a URN which another school continues; and those that are not.
local function stale_tests()
  local stale = {
    { "programme.entered" }, t.recorded("development"), { "specialist.appointed", person = "s1" },
    { "specialist.stood_down", person = "s1" }, { "commitment.given" }, { "commitment.withdrawn" },
    { "lead.named", teacher = "t1" }, { "lead.stood_down", teacher = "t1" },
    t.assessed("school_systems", "secure"), t.joined("embedding", "2025/26"), t.left("embedding", "2025/26"),
    t.visited("2024/25", 2), { "contact.made", group = "group/g", academic_year = "2024/25" },
    { "focus.worked", group = "group/g", academic_year = "2024/25", focus = "lesson_design" },
    t.waived("ready"), { "waiver.ended", rule = "ready", reason = "over" }, t.met("2024/25", 4, BOTH), t.met("2024/25", 4, {}),
  }
  local welcome = {
    t.registered(), { "school.changed", name = "Ashdown" }, { "school.closed" },
    succeeded(THIRD, OLD), succeeded(OLD, THIRD), t.voided(1),
  }
  local tests = {}
  for place, list in ipairs { stale, welcome } do
    for number, event in ipairs(list) do
      tests[#tests + 1] = {
        event[1] .. " (" .. number .. ") for a URN that another school continues is " ..
          (place == 1 and "a mistake" or "no mistake"),
        given = all { academy, t.with(event, { [2] = "2025-02-01" }) }, at = "2025-03-01",
        expect = { stale_urn = place == 1 },
      }
    end
  end
  return tests
end

return pack {
  tests = all {
    ---- what is taken over, and when ----
    turn { "from the succession on the new school has the whole history",
      subject = NEW, given = academy,
      before = "2024-12-31T23:59:59.999999Z",
      was = { committed = false, two_leads = false, pathway_phase = "none", phase_since = null, development_year = null },
      at = "2025-01-01",
      is = { committed = true, two_leads = true, pathway_phase = "development", phase_since = "2024-09-01",
             development_year = "2024/25" } },
    { "the succession opens the new school, though the old one was closed",
      subject = NEW, given = { t.registered(), { "school.closed", "2024-12-31" }, succeeded(NEW, OLD, "2025-01-01") },
      at = "2025-01-02", expect = { is_open = true, succeeded_by = null } },
    { "the succession opens the new school, though it was only proposed",
      subject = NEW,
      given = {
        t.registered(), of(NEW, t.registered { [2] = "2024-10-01", status = "proposed_to_open" }),
        succeeded(NEW, OLD, "2025-01-01"),
      },
      at = "2025-01-02", expect = { is_open = true } },
    { "the new school can close like any other",
      subject = NEW, given = all { academy, of(NEW, { "school.closed", "2025-02-01" }) }, at = "2025-03-01",
      expect = { is_open = false } },
    { "a succession does not register a school of which nobody has heard",
      subject = NEW, given = { succeeded(NEW, OLD, "2025-01-01") }, at = "2025-01-02", expect = { is_open = false } },
    { "events of both schools count in the order in which they happened",
      subject = NEW,
      given = {
        { "commitment.given", "2024-03-01" }, of(NEW, { "commitment.withdrawn", "2024-02-01" }),
        succeeded(NEW, OLD, "2025-01-01"),
      },
      at = "2025-02-01", expect = { committed = true } },
    { "an event of the old school after the succession is not taken over",
      subject = NEW, given = all { academy, { "commitment.withdrawn", "2025-01-02" } }, at = "2025-02-01",
      expect = { committed = true } },
    { "an event of that same instant is taken over when it stands before the succession",
      subject = NEW, given = { { "commitment.given", "2025-01-01" }, succeeded(NEW, OLD, "2025-01-01") },
      at = "2025-02-01", expect = { committed = true } },
    { "an event of that same instant is not taken over when it stands after the succession",
      subject = NEW, given = { succeeded(NEW, OLD, "2025-01-01"), { "commitment.given", "2025-01-01" } },
      at = "2025-02-01", expect = { committed = false } },
    { "an event of the old school that arrives late is taken over if it stood before",
      subject = NEW, given = { succeeded(NEW, OLD, "2025-01-01"), { "commitment.given", "2024-12-01" } },
      at = "2025-02-01", expect = { committed = true } },
    { "waivers, specialists and entries are taken over",
      subject = NEW,
      given = {
        t.registered(), t.waived("committed", "2024-01-01"), { "specialist.appointed", "2024-01-01", person = "s1" },
        { "programme.entered", "2024-01-01", academic_year = "2016/17" }, succeeded(NEW, OLD, "2025-01-01"),
      },
      at = "2025-02-01", expect = { committed = true, eligible_refinement = true, entered = "2016/17" } },
    { "the new school goes on in the groups of the old one",
      subject = NEW,
      given = all { t.able, t.joined("sustaining", "2025/26"), t.joined("development", "2025/26", { [2] = "2025-07-01" }),
        succeeded(NEW, OLD, "2025-08-01") },
      at = "2025-09-01",
      expect = { pathway_phase = "development", phase_since = "2025-09-01", out_of_order = true } },

    ---- what remains of the old school ----
    turn { "the old school says who continues it, from that moment on",
      given = academy,
      before = "2024-12-31T23:59:59.999999Z", was = { succeeded_by = null },
      at = "2025-01-01", is = { succeeded_by = NEW } },
    turn { "the memberships of the old school end",
      given = { t.joined("sustaining", "2024/25"), succeeded(NEW, OLD, "2025-01-01") },
      before = "2024-12-31T23:59:59.999999Z", was = { out_of_order = true },
      at = "2025-01-01", is = { out_of_order = false } },
    { "a membership that has yet to begin ends as well",
      given = all { t.able, t.joined("development", "2025/26"), succeeded(NEW, OLD, "2025-08-01") }, at = "2025-10-01",
      expect = { pathway_phase = "none", development_year = "2025/26" } },
    { "nothing else changes in the old school",
      given = academy, at = "2025-02-01",
      expect = { is_open = true, committed = true, two_leads = true, pathway_phase = "development", lead_missing = false } },
    { "of several successors the last is named",
      given = { t.registered(), succeeded(NEW, OLD, "2025-01-01"), succeeded(THIRD, OLD, "2025-02-01") },
      at = "2025-03-01", expect = { succeeded_by = THIRD } },

    ---- meetings ----
    { "a meeting that names the old school counts for the new one",
      subject = NEW, given = all { academy, t.met("2024/25", 1, BOTH), t.met("2024/25", 2, { "t1" }) }, at = "2025-02-01",
      expect = { development_attendance = "21----", last_contact = "2024-11-20" } },
    { "a meeting that names the new school counts for it, before and after the succession",
      subject = NEW,
      given = all {
        academy, t.met("2024/25", 1, {}, { attendance = { [NEW] = BOTH } }),
        t.met("2024/25", 4, {}, { attendance = { [NEW] = BOTH } }),
      },
      at = "2025-04-01", expect = { development_attendance = "2--2--" } },
    { "a meeting that names both counts once, as the new school's own",
      subject = NEW,
      given = all { academy, t.met("2024/25", 1, {}, { attendance = { [OLD] = BOTH, [NEW] = { "n1" } } }) },
      at = "2025-02-01", expect = { development_attendance = "1-----" } },
    { "a meeting that names the old school after the succession does not count for the new one",
      subject = NEW, given = all { academy, t.met("2024/25", 4, BOTH) }, at = "2025-04-01",
      expect = { development_attendance = "------", stale_urn = false } },
    { "the best of the meetings of both schools counts",
      subject = NEW,
      given = all {
        academy, t.met("2024/25", 1, { "t1" }), t.met("2024/25", 1, {}, { attendance = { [NEW] = BOTH } }),
        t.met("2024/25", 2, BOTH), t.met("2024/25", 2, {}, { attendance = { [NEW] = { "n1" } } }),
      },
      at = "2025-02-01", expect = { development_attendance = "22----", development_meetings = 2 } },
    { "observations, visits and focuses are taken over",
      subject = NEW,
      given = all {
        t.developed("2022/23"), t.joined("embedding", "2023/24"),
        t.met("2022/23", 1, { "t1" }, { observation = true }),
        { "focus.worked", "2024-01-15", group = "group/e", academic_year = "2023/24", focus = "lesson_design" },
        succeeded(NEW, OLD, "2024-04-01"),
      },
      at = "2024-09-01",
      expect = {
        development_observations = 1, development_visits = 3, building_focuses = 1, building_years = 1,
        pathway_phase = "building", phase_since = "2023-09-01",
      } },

    ---- chains, merges, splits, cycles ----
    { "a school continues the predecessors of its predecessor",
      subject = THIRD,
      given = all { t.developing("2024/25"), succeeded(NEW, OLD, "2024-10-01"), succeeded(THIRD, NEW, "2025-01-01") },
      at = "2025-02-01",
      expect = { pathway_phase = "development", phase_since = "2024-09-01", committed = true, succeeded_by = null } },
    { "what ended for the first school goes on in the third",
      subject = THIRD,
      given = { t.joined("sustaining", "2024/25"), succeeded(NEW, OLD, "2024-10-01"), succeeded(THIRD, NEW, "2025-01-01") },
      at = "2025-02-01", expect = { out_of_order = true } },
    { "an event of the first school between the two successions reaches nobody",
      subject = THIRD,
      given = {
        succeeded(NEW, OLD, "2024-10-01"), { "commitment.given", "2024-11-01" }, succeeded(THIRD, NEW, "2025-01-01"),
      },
      at = "2025-02-01", expect = { committed = false } },
    { "a school that merges two takes over both",
      subject = THIRD,
      given = {
        { "lead.named", "2024-01-01", teacher = "t1" }, of(NEW, { "lead.named", "2024-01-01", teacher = "n1" }),
        succeeded(THIRD, OLD, "2025-01-01"), succeeded(THIRD, NEW, "2025-01-01"),
      },
      at = "2025-02-01", expect = { two_leads = true } },
    { "of a school that is split, one part takes over everything", subject = NEW,
      given = all { t.able, succeeded(NEW, OLD, "2025-01-01"), succeeded(THIRD, OLD, "2025-01-01") },
      at = "2025-02-01", expect = { eligible_development = true, succeeded_by = null } },
    { "of a school that is split, the other part takes over everything too", subject = THIRD,
      given = all { t.able, succeeded(NEW, OLD, "2025-01-01"), succeeded(THIRD, OLD, "2025-01-01") },
      at = "2025-02-01", expect = { eligible_development = true, succeeded_by = null } },
    { "the later part of a split goes on in the groups that ended for the school", subject = THIRD,
      given = {
        t.joined("sustaining", "2024/25"), succeeded(NEW, OLD, "2024-10-01"), succeeded(THIRD, OLD, "2025-01-01"),
      },
      at = "2025-02-01", expect = { out_of_order = true } },
    { "schools that continue each other do no harm: the first", subject = OLD,
      given = {
        { "commitment.given", "2024-01-01" }, succeeded(NEW, OLD, "2024-06-01"),
        of(NEW, { "lead.named", "2024-07-01", teacher = "n1" }), of(NEW, { "lead.named", "2024-07-01", teacher = "n2" }),
        succeeded(OLD, NEW, "2025-01-01"),
      },
      at = "2025-02-01", expect = { committed = true, two_leads = true, succeeded_by = NEW, stale_urn = false } },
    { "schools that continue each other do no harm: the second", subject = NEW,
      given = {
        { "commitment.given", "2024-01-01" }, succeeded(NEW, OLD, "2024-06-01"),
        of(NEW, { "lead.named", "2024-07-01", teacher = "n1" }), of(NEW, { "lead.named", "2024-07-01", teacher = "n2" }),
        succeeded(OLD, NEW, "2025-01-01"),
      },
      at = "2025-02-01", expect = { committed = true, two_leads = true, succeeded_by = OLD, stale_urn = false } },
    { "groups do not follow a succession: the old school remains a member", subject = "group/development",
      given = academy, at = "2025-02-01", expect = { group_schools = 1 } },

    ---- voids ----
    { "a voided succession leaves the new school alone", subject = NEW,
      given = { { "commitment.given", "2024-01-01" }, succeeded(NEW, OLD, "2025-01-01"), t.voided(2, "2025-02-01", { as = NEW }) },
      at = "2025-01-15", expect = { committed = false, is_open = false } },
    { "a voided succession leaves the old school as it was",
      given = {
        t.joined("sustaining", "2024/25"), succeeded(NEW, OLD, "2025-01-01"), { "commitment.given", "2025-01-10" },
        t.voided(2, "2025-02-01", { as = NEW }),
      },
      at = "2025-01-15", expect = { succeeded_by = null, out_of_order = true, stale_urn = false } },
    { "a void in the old school, even after the succession, acts on what was taken over", subject = NEW,
      given = { { "commitment.given", "2024-01-01" }, succeeded(NEW, OLD, "2025-01-01"), t.voided(1, "2025-02-01") },
      at = "2025-01-15", expect = { committed = false } },
    { "a void in the new school does not act on the events of the old one", subject = NEW,
      given = { { "commitment.given", "2024-01-01" }, succeeded(NEW, OLD, "2025-01-01"), t.voided(1, "2025-02-01", { as = NEW }) },
      at = "2025-03-01", expect = { committed = true } },

    ---- events for the old URN ----
    stale_tests(),
    turn { "a mistake shows from its moment on",
      given = all { academy, t.visited("2024/25", 2, { [2] = "2025-02-10T10:00:00Z" }) },
      before = "2025-02-10T09:59:59.999999Z", was = { stale_urn = false },
      at = "2025-02-10T10:00:00Z", is = { stale_urn = true } },
    { "an event before the succession is no mistake",
      given = all { academy, t.visited("2024/25", 1) }, at = "2025-02-01", expect = { stale_urn = false } },
    { "an event of the instant of the succession is no mistake when it stands before it",
      given = { { "commitment.given", "2025-01-01" }, succeeded(NEW, OLD, "2025-01-01") }, at = "2025-02-01",
      expect = { stale_urn = false } },
    { "an event of the instant of the succession is a mistake when it stands after it",
      given = { succeeded(NEW, OLD, "2025-01-01"), { "commitment.given", "2025-01-01" } }, at = "2025-02-01",
      expect = { stale_urn = true } },
    { "a mistake that is voided is none",
      given = { succeeded(NEW, OLD, "2025-01-01"), { "commitment.given", "2025-01-02" }, t.voided(2, "2025-01-03") },
      at = "2025-02-01", expect = { stale_urn = false } },
    { "events for the new school are no mistake", subject = NEW,
      given = all { academy, of(NEW, { "commitment.given", "2025-02-01" }) }, at = "2025-03-01",
      expect = { stale_urn = false } },
    { "a meeting that names another school only is no mistake",
      given = all { academy, t.met("2024/25", 4, {}, { attendance = { [NEW] = BOTH } }) }, at = "2025-04-01",
      expect = { stale_urn = false } },
  },
}
