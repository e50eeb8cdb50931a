--- Tests: what a waiver does, from when, until when, and to which rules.
local t = import "tests_shared"
local all, turn = t.all, t.turn

local WAIVABLE = {
  "is_open", "committed", "two_leads", "ready", "development_complete",
  "eligible_preparatory", "eligible_development", "eligible_building", "eligible_refinement",
}

-- A school of which none of them holds.
local hopeless = { t.assessed("school_systems", "not_yet", t.LONG_AGO) }

local function ended(rule, time) return { "waiver.ended", time, rule = rule, reason = "no longer needed" } end

local function waivable_tests()
  local tests = {}
  for _, rule in ipairs(WAIVABLE) do
    tests[#tests + 1] = turn { "a waiver of " .. rule .. " makes it true",
      given = all { hopeless, t.waived(rule, "2025-02-03T10:00:00Z") },
      before = "2025-02-03T09:59:59.999999Z", was = { [rule] = false },
      at = "2025-02-03T10:00:00Z", is = { [rule] = true } }
  end
  return all(tests)
end

-- Each accepts a waiver and takes no notice of it.
local function not_waivable_tests()
  local tests = {}
  local values = {
    is_primary = false, areas_secure = 0, readiness_school_systems = "not_yet", pathway_phase = "none",
    development_meetings = 0, building_years = 0, sustaining_lapsed = false, out_of_order = false,
  }
  for rule, value in pairs(values) do
    tests[#tests + 1] = {
      rule .. " can not be waived", given = all { hopeless, t.waived(rule, "2024-01-01") }, at = "2025-01-01",
      expect = { [rule] = value },
    }
  end
  return tests
end

return pack {
  tests = all {
    ---- which rules ----
    waivable_tests(),
    not_waivable_tests(),
    { "a waiver of a criterion has no effect",
      given = all { hopeless, t.waived("nothing_below_secure", "2024-01-01"), t.waived("registered_open", "2024-01-01") },
      at = "2025-01-01", expect = { ready = false, is_open = false } },
    { "a waiver of a rule that nobody knows has no effect",
      given = all { t.able, t.waived("two_leaders", "2024-01-01") }, at = "2025-01-01",
      expect = { eligible_development = true, eligible_building = false } },
    { "a waiver does nothing to the rules that it does not name",
      given = all { hopeless, t.waived("committed", "2024-01-01") }, at = "2025-01-01",
      expect = { committed = true, is_open = false, two_leads = false, ready = false, eligible_development = false } },

    ---- until when ----
    turn { "a waiver stands to the end of its last day, in summer time",
      given = all { hopeless, t.waived("committed", "2025-02-03", "2025-07-15") },
      before = "2025-07-15T22:59:59.999999Z", was = { committed = true },
      at = "2025-07-15T23:00:00Z", is = { committed = false } },
    turn { "a waiver stands to the end of its last day, in winter",
      given = all { hopeless, t.waived("ready", "2025-02-03", "2025-11-30") },
      before = "2025-11-30T23:59:59.999999Z", was = { ready = true },
      at = "2025-12-01T00:00:00Z", is = { ready = false } },
    { "a waiver that ends on its first day stands for the rest of that day",
      given = all { hopeless, t.waived("committed", "2025-02-03T10:00:00Z", "2025-02-03") },
      at = "2025-02-03T23:59:59.999999Z", expect = { committed = true } },
    { "a waiver whose last day has passed when it is granted never stands",
      given = all { hopeless, t.waived("committed", "2025-02-03T10:00:00Z", "2025-02-02") },
      at = "2025-02-03T10:00:00Z", expect = { committed = false } },
    { "a waiver without a last day stands for years",
      given = all { hopeless, t.waived("committed", "2015-02-03") }, at = "2026-01-01", expect = { committed = true } },

    ---- several waivers, and their end ----
    { "of several waivers any that stands will do",
      given = all {
        hopeless, t.waived("committed", "2025-01-01", "2025-06-30"), t.waived("committed", "2025-02-01", "2025-03-31"),
      },
      at = "2025-05-01", expect = { committed = true } },
    { "when the last of several has run out, none stands",
      given = all {
        hopeless, t.waived("committed", "2025-01-01", "2025-06-30"), t.waived("committed", "2025-02-01", "2025-03-31"),
      },
      at = "2025-07-01", expect = { committed = false } },
    turn { "all waivers of a rule are ended together",
      given = all {
        hopeless, t.waived("committed", "2025-01-01"), t.waived("committed", "2025-02-01", "2026-01-01"),
        ended("committed", "2025-03-03T10:00:00Z"),
      },
      before = "2025-03-03T09:59:59.999999Z", was = { committed = true },
      at = "2025-03-03T10:00:00Z", is = { committed = false } },
    { "ending the waivers of one rule leaves those of others",
      given = all {
        hopeless, t.waived("committed", "2025-01-01"), t.waived("ready", "2025-01-01"), ended("ready", "2025-02-01"),
      },
      at = "2025-03-01", expect = { committed = true, ready = false } },
    { "a waiver can be granted again",
      given = all {
        hopeless, t.waived("committed", "2025-01-01"), ended("committed", "2025-02-01"), t.waived("committed", "2025-03-01"),
      },
      at = "2025-04-01", expect = { committed = true } },
    { "an end before the waiver does not touch it",
      given = all { hopeless, t.waived("committed", "2025-02-01"), ended("committed", "2025-01-01") },
      at = "2025-04-01", expect = { committed = true } },
    { "a waiver whose event is voided never stood",
      given = { t.waived("committed", "2025-02-01"), t.voided(1, "2025-05-01") }, at = "2025-03-01",
      expect = { committed = false } },

    ---- wherever the rule is read ----
    { "what is waived is not missing",
      given = { { "lead.named", "2024-01-01", teacher = "t1" }, t.waived("committed", "2024-01-01") }, at = "2025-01-01",
      expect = { eligible_development = false }, missing = { "is_primary", "registered_open", "two_leads" } },
    { "waived leads and a waived readiness let a school join a Development group",
      given = all {
        t.committed, t.assessed("school_systems", "not_yet", "2024-01-01"), t.waived("two_leads", "2024-02-01"),
        t.waived("ready", "2024-02-01"),
      },
      at = "2025-01-01", expect = { eligible_development = true }, missing = {} },
    { "a waived is_open is read by every rule that asks for it",
      given = all { t.able, { "school.closed", "2024-01-01" }, t.waived("is_open", "2024-02-01"), t.recorded("none") },
      at = "2025-01-01", expect = { is_open = true, eligible_development = true } },
    { "with waived leads no lead is missing",
      given = all {
        t.developing("2024/25"), { "lead.stood_down", "2024-10-01", teacher = "t1" }, t.waived("two_leads", "2024-10-02"),
      },
      at = "2025-01-01", expect = { two_leads = true, lead_missing = false } },
    { "waived leads do not make one teacher at a meeting into two",
      given = all { t.developing("2024/25"), t.waived("two_leads", "2024-10-02"), t.met("2024/25", 1, { "t1" }) },
      at = "2025-01-01", expect = { development_attendance = "1-----", development_meetings = 0, meeting_missed = true } },
    { "a waived completion lets a school join an Embedding group and is not incomplete",
      given = all { t.developing("2023/24"), t.waived("development_complete", "2024-10-01") }, at = "2025-01-01",
      expect = { development_complete = true, eligible_building = true, development_incomplete = false } },

    ---- moves under a waiver ----
    turn { "a school moves as soon as a waiver lets it",
      given = all { t.developing("2023/24"), t.joined("embedding", "2024/25"), t.waived("eligible_building", "2024-10-07T10:00:00Z") },
      before = "2024-10-07T09:59:59.999999Z", was = { pathway_phase = "development" },
      at = "2024-10-07T10:00:00Z", is = { pathway_phase = "building", phase_since = "2024-10-07" } },
    { "what has moved under a waiver stays moved when the waiver is over",
      given = all {
        t.developing("2023/24"), t.joined("embedding", "2024/25"),
        t.waived("development_complete", "2024-10-07", "2024-10-08"),
      },
      at = "2025-01-01", expect = { pathway_phase = "building", development_complete = false, eligible_building = false } },
    { "a waiver that ends as the year begins is too short",
      given = all { t.committed, t.joined("development", "2024/25"), t.waived("two_leads", "2024-07-02", "2024-08-31") },
      at = "2025-01-01", expect = { pathway_phase = "none" } },
    { "a waiver that lasts through the first day of the year is long enough",
      given = all { t.committed, t.joined("development", "2024/25"), t.waived("two_leads", "2024-07-02", "2024-09-01") },
      at = "2025-01-01", expect = { pathway_phase = "development", phase_since = "2024-09-01", two_leads = false } },
    { "a waived eligibility brings a school into the Preparatory phase",
      given = { t.joined("readiness", "2024/25"), t.waived("eligible_preparatory", "2024-10-01") }, at = "2025-01-01",
      expect = { pathway_phase = "preparatory", phase_since = "2024-10-01" } },
    { "a waived eligibility does not bring a school back into the Preparatory phase",
      given = {
        t.recorded("development"), t.joined("readiness", "2024/25"), t.waived("eligible_preparatory", "2024-10-01"),
      },
      at = "2025-01-01", expect = { pathway_phase = "development", eligible_preparatory = true } },
    { "a waived eligibility brings a school into the Refinement phase",
      given = { t.joined("sustaining", "2024/25"), t.waived("eligible_refinement", "2024-10-01") }, at = "2025-01-01",
      expect = { pathway_phase = "refinement", phase_since = "2024-10-01", sustaining_years = 1 } },
    { "a waived eligibility does not bring a school back into Development",
      given = all { t.recorded("building"), t.joined("development", "2024/25"), t.waived("eligible_development", "2024-09-10") },
      at = "2025-01-01", expect = { pathway_phase = "building", eligible_development = true } },
  },
}
