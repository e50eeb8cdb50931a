--- Tests: what needs somebody's attention, on both sides of every date.
local t = import "tests_shared"
local all, turn = t.all, t.turn

-- The last microsecond and the first moment of what is overdue 14 days after a half term has ended.
local OVERDUE = {
  ["2024/25"] = { -- in the calendar
    { "2024-11-17T23:59:59.999999Z", "2024-11-18T00:00:00Z" },
    { "2025-01-19T23:59:59.999999Z", "2025-01-20T00:00:00Z" },
    { "2025-03-09T23:59:59.999999Z", "2025-03-10T00:00:00Z" },
    { "2025-05-05T22:59:59.999999Z", "2025-05-05T23:00:00Z" },
    { "2025-06-15T22:59:59.999999Z", "2025-06-15T23:00:00Z" },
  },
  ["2027/28"] = { -- beyond it: 1 Nov, 4 Jan, 22 Feb of a leap year, 15 Apr, 3 Jun
    { "2027-11-14T23:59:59.999999Z", "2027-11-15T00:00:00Z" },
    { "2028-01-17T23:59:59.999999Z", "2028-01-18T00:00:00Z" },
    { "2028-03-06T23:59:59.999999Z", "2028-03-07T00:00:00Z" },
    { "2028-04-28T22:59:59.999999Z", "2028-04-28T23:00:00Z" },
    { "2028-06-16T22:59:59.999999Z", "2028-06-16T23:00:00Z" },
  },
}

-- A Development year in which this half term alone is special: a list of teachers, or nil for no meeting.
local function year_but(year, special, teachers)
  local list = { t.developing(year) }
  for half_term = 1, 6 do
    if half_term ~= special then list[#list + 1] = t.met(year, half_term, { "t1", "t2" }) end
  end
  if teachers then list[#list + 1] = t.met(year, special, teachers) end
  return all(list)
end

local function half_term_tests()
  local tests = {}
  for year, bounds in pairs(OVERDUE) do
    for half_term, bound in ipairs(bounds) do
      tests[#tests + 1] = turn { "half term " .. half_term .. " of " .. year .. " without a meeting is overdue 14 days after its end",
        given = year_but(year, half_term, nil),
        before = bound[1], was = { meeting_unrecorded = false }, at = bound[2], is = { meeting_unrecorded = true } }
      tests[#tests + 1] = turn { "half term " .. half_term .. " of " .. year .. " with one teacher is a missed meeting 14 days after its end",
        given = year_but(year, half_term, { "t1" }),
        before = bound[1], was = { meeting_missed = false }, at = bound[2], is = { meeting_missed = true } }
    end
  end
  return all(tests)
end

-- A running place in a group of each kind, for a school in each phase. Not being registered, it can not move.
local function out_of_order_tests()
  local ahead = {
    readiness = { "none" },
    development = { "none", "preparatory" },
    embedding = { "none", "preparatory", "development" },
    sustaining = { "none", "preparatory", "development", "building" },
  }
  local tests = {}
  for kind, phases in pairs(ahead) do
    local is_ahead = {}
    for _, phase in ipairs(phases) do is_ahead[phase] = true end
    for _, phase in ipairs { "none", "preparatory", "development", "building", "refinement" } do
      tests[#tests + 1] = {
        "in the phase " .. phase .. " a group of the kind " .. kind .. (is_ahead[phase] and " is" or " is not") .. " out of order",
        given = { t.recorded(phase), t.joined(kind, "2024/25") }, at = "2025-01-01",
        expect = { pathway_phase = phase, out_of_order = is_ahead[phase] or false },
      }
    end
  end
  return tests
end

local function contact_kind_tests()
  local tests = {}
  local is_watched = { readiness = false, development = true, embedding = true, sustaining = false }
  for kind, expected in pairs(is_watched) do
    tests[#tests + 1] = turn { "a school in a group of the kind " .. kind .. (expected and " is" or " is never") ..
        " out of contact 90 days after the first day of the year",
      given = { t.registered(), t.joined(kind, "2024/25") },
      before = "2024-11-29T23:59:59.999999Z", was = { out_of_contact = false },
      at = "2024-11-30T00:00:00Z", is = { out_of_contact = expected } }
  end
  return all(tests)
end

local function contacted(time)
  return { "contact.made", time, group = "group/development", academic_year = "2024/25" }
end

-- In Development with full attendance, so that nothing else is wrong.
local attending = year_but("2024/25", 6, { "t1", "t2" })

return pack {
  tests = all {
    ---- lead_missing ----
    { "with two leads none is missing", given = t.developing("2024/25"), at = "2025-01-01",
      expect = { lead_missing = false } },
    turn { "a lead is missing once one stands down in Development",
      given = all { t.developing("2024/25"), { "lead.stood_down", "2025-01-15T10:00:00Z", teacher = "t1" } },
      before = "2025-01-15T09:59:59.999999Z", was = { lead_missing = false },
      at = "2025-01-15T10:00:00Z", is = { lead_missing = true } },
    turn { "no lead is missing any more when the development year is over",
      given = all { t.developing("2024/25"), { "lead.stood_down", "2025-01-15", teacher = "t1" } },
      before = "2025-08-31T22:59:59.999999Z", was = { lead_missing = true },
      at = "2025-08-31T23:00:00Z", is = { lead_missing = false } },
    turn { "no lead is missing before the development year begins",
      given = { t.registered(), t.recorded("development"), t.joined("development", "2024/25") },
      before = "2024-08-31T22:59:59.999999Z", was = { lead_missing = false },
      at = "2024-08-31T23:00:00Z", is = { lead_missing = true } },
    { "no lead is missing in a school that has left its group",
      given = all {
        t.developing("2024/25"), { "lead.stood_down", "2025-01-15", teacher = "t1" },
        t.left("development", "2024/25", "2025-02-01"),
      },
      at = "2025-03-01", expect = { lead_missing = false, pathway_phase = "development" } },
    { "a place in an Embedding group does not count as developing",
      given = { t.registered(), t.recorded("development"), t.joined("embedding", "2024/25"),
        t.joined("development", "2024/25"), t.left("development", "2024/25", "2024-10-01") },
      at = "2025-01-01", expect = { lead_missing = false, development_year = "2024/25" } },
    { "no lead is missing outside the Development phase",
      given = { t.registered(), t.joined("development", "2024/25") }, at = "2025-01-01",
      expect = { lead_missing = false, pathway_phase = "none" } },
    { "a place for another year than the development year does not count as developing",
      given = {
        t.registered(), t.recorded("development"), t.joined("development", "2024/25"),
        t.left("development", "2024/25", "2024-10-01"), t.joined("development", "2025/26", { [2] = "2024-10-02" }),
      },
      at = "2025-01-01", expect = { lead_missing = false, development_year = "2024/25" } },

    ---- meeting_missed and meeting_unrecorded ----
    half_term_tests(),
    { "a meeting at which nobody was is a missed one", given = year_but("2024/25", 1, {}), at = "2024-11-18",
      expect = { meeting_missed = true, meeting_unrecorded = false } },
    { "a meeting with one teacher is missed, not unrecorded", given = year_but("2024/25", 1, { "t1" }),
      at = "2024-11-18", expect = { meeting_missed = true, meeting_unrecorded = false } },
    { "a half term without a meeting is unrecorded, not missed", given = year_but("2024/25", 1, nil),
      at = "2024-11-18", expect = { meeting_missed = false, meeting_unrecorded = true } },
    { "with two teachers at every meeting none is missed", given = attending, at = "2025-08-31",
      expect = { meeting_missed = false, meeting_unrecorded = false } },
    { "the sixth half term is not missed while its year runs", given = year_but("2024/25", 6, { "t1" }),
      at = "2025-08-31T22:59:59.999999Z", expect = { meeting_missed = false } },
    { "the sixth half term is not unrecorded while its year runs", given = year_but("2024/25", 6, nil),
      at = "2025-08-31T22:59:59.999999Z", expect = { meeting_unrecorded = false } },
    turn { "a missed meeting is forgotten when the year is over",
      given = year_but("2024/25", 5, { "t1" }),
      before = "2025-08-31T22:59:59.999999Z", was = { meeting_missed = true, meeting_unrecorded = false },
      at = "2025-08-31T23:00:00Z", is = { meeting_missed = false, meeting_unrecorded = false } },
    turn { "a meeting that is recorded late settles the half term",
      given = all { year_but("2024/25", 1, nil), t.met("2024/25", 1, { "t1", "t2" }, { [2] = "2024-12-01T10:00:00Z" }) },
      before = "2024-12-01T09:59:59.999999Z", was = { meeting_unrecorded = true },
      at = "2024-12-01T10:00:00Z", is = { meeting_unrecorded = false } },
    turn { "a better meeting of the same half term settles a missed one",
      given = all { year_but("2024/25", 1, { "t1" }), t.met("2024/25", 1, { "t1", "t2" }, { [2] = "2024-12-01T10:00:00Z" }) },
      before = "2024-12-01T09:59:59.999999Z", was = { meeting_missed = true },
      at = "2024-12-01T10:00:00Z", is = { meeting_missed = false } },
    { "a school that has left its group misses no meeting",
      given = all { year_but("2024/25", 1, { "t1" }), t.left("development", "2024/25", "2024-11-15") },
      at = "2024-12-01", expect = { meeting_missed = false } },
    { "in a school that has left its group no meeting is unrecorded",
      given = all { t.developing("2024/25"), t.left("development", "2024/25", "2024-11-15") },
      at = "2024-12-01", expect = { meeting_unrecorded = false } },
    { "a school that is not in Development misses no meeting",
      given = { t.registered(), t.joined("development", "2024/25"), t.met("2024/25", 1, {}) }, at = "2024-12-01",
      expect = { meeting_missed = false } },
    { "for a school that is not in Development no meeting is unrecorded",
      given = { t.registered(), t.joined("development", "2024/25") }, at = "2024-12-01",
      expect = { meeting_unrecorded = false } },

    ---- visit_overdue ----
    turn { "the first term's visit is overdue 14 days after the term",
      given = t.developing("2024/25"),
      before = "2025-01-19T23:59:59.999999Z", was = { visit_overdue = false },
      at = "2025-01-20T00:00:00Z", is = { visit_overdue = true } },
    turn { "the second term's visit is overdue 14 days after the term, in summer time",
      given = all { t.developing("2024/25"), t.visits("2024/25", { 1 }) },
      before = "2025-05-05T22:59:59.999999Z", was = { visit_overdue = false },
      at = "2025-05-05T23:00:00Z", is = { visit_overdue = true } },
    { "the third term's visit is not overdue while the year runs",
      given = all { t.developing("2024/25"), t.visits("2024/25", { 1, 2 }) },
      at = "2025-08-31T22:59:59.999999Z", expect = { visit_overdue = false } },
    turn { "no visit is overdue any more when the year is over",
      given = t.developing("2024/25"),
      before = "2025-08-31T22:59:59.999999Z", was = { visit_overdue = true },
      at = "2025-08-31T23:00:00Z", is = { visit_overdue = false } },
    turn { "a visit that is recorded late is no longer overdue",
      given = all { t.developing("2024/25"), t.visited("2024/25", 1, { [2] = "2025-02-01T10:00:00Z" }) },
      before = "2025-02-01T09:59:59.999999Z", was = { visit_overdue = true },
      at = "2025-02-01T10:00:00Z", is = { visit_overdue = false } },
    { "a visit of another term does not do",
      given = all { t.developing("2024/25"), t.visited("2024/25", 2, { [2] = "2025-01-10" }) }, at = "2025-01-20",
      expect = { visit_overdue = true } },
    { "no visit is overdue in a school that has left its group",
      given = all { t.developing("2024/25"), t.left("development", "2024/25", "2025-01-01") }, at = "2025-02-01",
      expect = { visit_overdue = false } },

    ---- development_incomplete ----
    turn { "Development is incomplete when its year ends without enough",
      given = t.developing("2024/25"),
      before = "2025-08-31T22:59:59.999999Z", was = { development_incomplete = false },
      at = "2025-08-31T23:00:00Z", is = { development_incomplete = true } },
    { "a completed year is not incomplete", given = t.developed("2024/25"), at = "2025-09-01",
      expect = { development_incomplete = false } },
    { "Development is incomplete for a school that left its group, too",
      given = all { t.developing("2024/25"), t.left("development", "2024/25", "2025-01-01") }, at = "2025-09-01",
      expect = { development_incomplete = true } },
    { "without a development year nothing is incomplete", given = { t.recorded("development") }, at = "2025-09-01",
      expect = { development_incomplete = false } },
    { "in the Building phase nothing is incomplete",
      given = { t.recorded("building"), t.joined("development", "2023/24") }, at = "2025-09-01",
      expect = { development_incomplete = false } },
    { "a school that was never in the phase has nothing incomplete",
      given = { t.registered(), t.joined("development", "2023/24") }, at = "2025-09-01",
      expect = { development_incomplete = false } },
    turn { "a second Development year begins: for now nothing is incomplete",
      given = all { t.developing("2023/24"), t.joined("development", "2025/26", { [2] = "2024-09-01" }) },
      before = "2025-08-31T22:59:59.999999Z", was = { development_incomplete = true },
      at = "2025-08-31T23:00:00Z", is = { development_incomplete = false, development_year = "2025/26" } },

    ---- out_of_order ----
    out_of_order_tests(),
    turn { "a group is out of order from the first moment of its year",
      given = { t.joined("sustaining", "2024/25") },
      before = "2024-08-31T22:59:59.999999Z", was = { out_of_order = false },
      at = "2024-08-31T23:00:00Z", is = { out_of_order = true } },
    turn { "a group is out of order to the last moment of its year",
      given = { t.joined("sustaining", "2024/25") },
      before = "2025-08-31T22:59:59.999999Z", was = { out_of_order = true },
      at = "2025-08-31T23:00:00Z", is = { out_of_order = false } },
    { "a group that it left is not out of order",
      given = { t.joined("sustaining", "2024/25"), t.left("sustaining", "2024/25", "2024-10-01") }, at = "2025-01-01",
      expect = { out_of_order = false } },
    { "one of two groups is enough to be out of order",
      given = all { t.developing("2024/25"), t.joined("embedding", "2024/25") }, at = "2025-01-01",
      expect = { pathway_phase = "development", out_of_order = true } },

    ---- out_of_contact ----
    contact_kind_tests(),
    turn { "a school is out of contact 90 days after the last one, across the change of the clocks",
      given = { t.joined("development", "2024/25"), contacted("2025-01-10T16:45:00Z") },
      before = "2025-04-09T22:59:59.999999Z", was = { out_of_contact = false },
      at = "2025-04-09T23:00:00Z", is = { out_of_contact = true } },
    { "the days are counted from the day of the contact in England",
      given = { t.joined("development", "2024/25"), contacted("2025-05-01T23:15:00Z") },
      at = "2025-07-30T23:00:00Z", expect = { last_contact = "2025-05-02", out_of_contact = true } },
    { "that day's midnight must have come",
      given = { t.joined("development", "2024/25"), contacted("2025-05-01T23:15:00Z") },
      at = "2025-07-30T22:59:59.999999Z", expect = { out_of_contact = false } },
    turn { "contact before the year began does not bring the day forward",
      given = { t.joined("development", "2024/25"), contacted("2024-08-30T12:00:00Z") },
      before = "2024-11-29T23:59:59.999999Z", was = { out_of_contact = false },
      at = "2024-11-30T00:00:00Z", is = { out_of_contact = true } },
    turn { "a new contact ends the silence",
      given = { t.joined("embedding", "2024/25"), contacted("2025-01-15T10:00:00Z") },
      before = "2025-01-15T09:59:59.999999Z", was = { out_of_contact = true },
      at = "2025-01-15T10:00:00Z", is = { out_of_contact = false } },
    turn { "a school is no longer out of contact when the year of its group is over",
      given = { t.joined("development", "2024/25") },
      before = "2025-08-31T22:59:59.999999Z", was = { out_of_contact = true },
      at = "2025-08-31T23:00:00Z", is = { out_of_contact = false } },
    { "a school that has left its group is not out of contact",
      given = { t.joined("development", "2024/25"), t.left("development", "2024/25", "2025-01-01") },
      at = "2025-02-01", expect = { out_of_contact = false } },

    ---- sustaining_lapsed ----
    turn { "Sustaining has lapsed when October is over without a group",
      given = { t.recorded("refinement") },
      before = "2025-10-31T23:59:59.999999Z", was = { sustaining_lapsed = false },
      at = "2025-11-01T00:00:00Z", is = { sustaining_lapsed = true } },
    turn { "Sustaining has lapsed until the year is over",
      given = { t.recorded("refinement") },
      before = "2026-08-31T22:59:59.999999Z", was = { sustaining_lapsed = true },
      at = "2026-08-31T23:00:00Z", is = { sustaining_lapsed = false } },
    { "Sustaining has not lapsed in a year with a group",
      given = { t.recorded("refinement"), t.joined("sustaining", "2025/26") }, at = "2025-11-01",
      expect = { sustaining_lapsed = false } },
    { "a group of the year before does not do",
      given = { t.recorded("refinement"), t.joined("sustaining", "2024/25") }, at = "2025-11-01",
      expect = { sustaining_lapsed = true } },
    turn { "a group that is joined late ends the lapse",
      given = { t.recorded("refinement"), t.joined("sustaining", "2025/26", { [2] = "2026-01-15T10:00:00Z" }) },
      before = "2026-01-15T09:59:59.999999Z", was = { sustaining_lapsed = true },
      at = "2026-01-15T10:00:00Z", is = { sustaining_lapsed = false } },
    { "a group that it left within the year does",
      given = {
        t.recorded("refinement"), t.joined("sustaining", "2025/26"), t.left("sustaining", "2025/26", "2025-09-20"),
      },
      at = "2025-11-01", expect = { sustaining_lapsed = false } },
    { "in the Building phase Sustaining does not lapse", given = { t.recorded("building") }, at = "2025-11-01",
      expect = { sustaining_lapsed = false } },
  },
}
