--- Tests: what is decided about a school itself, its people, and its contacts.
local t = import "tests_shared"
local all, turn = t.all, t.turn

local function status_tests()
  local open = { open = true, proposed_to_close = true, proposed_to_open = false, closed = false }
  local tests = {}
  for status, is_open in pairs(open) do
    tests[#tests + 1] = {
      "a school with the status " .. status .. (is_open and " is open" or " is not open"),
      given = { t.registered { status = status } }, at = "2025-01-01", expect = { is_open = is_open },
    }
  end
  return tests
end

local function education_phase_tests()
  local primary = {
    primary = true, infant = true, junior = true, first = true, middle = true, all_through = true,
    nursery = false, secondary = false, special = false, other = false,
  }
  local tests = {}
  for phase, is_primary in pairs(primary) do
    tests[#tests + 1] = {
      "the education phase " .. phase .. (is_primary and " counts as primary" or " does not count as primary"),
      given = { t.registered { education_phase = phase } }, at = "2025-01-01",
      expect = { is_primary = is_primary },
    }
  end
  return tests
end

return pack {
  tests = all {
    ---- open and primary ----
    status_tests(),
    education_phase_tests(),
    { "a school that was never registered is not open", given = { { "commitment.given" } },
      at = "2025-01-01", expect = { is_open = false }, missing = { "registered_open" } },
    { "of a school that was never registered nobody knows what it teaches",
      given = { { "commitment.given" } }, at = "2025-01-01",
      expect = { is_primary = false }, missing = { "is_primary" } },
    { "a change of a school that was never registered does not open it",
      given = { { "school.changed", status = "open", education_phase = "primary" } }, at = "2025-01-01",
      expect = { is_open = false, is_primary = true }, missing = { "registered_open" } },
    turn { "a school opens with its registration",
      given = { t.registered { [2] = "2025-03-03T09:30:00Z" } },
      before = "2025-03-03T09:29:59.999999Z", was = { is_open = false },
      at = "2025-03-03T09:30:00Z", is = { is_open = true } },
    { "a change alters only the fields that it holds",
      given = { t.registered(), { "school.changed", "2020-01-01", name = "Ashdown Junior", pupils = 210 } },
      at = "2025-01-01", expect = { is_open = true, is_primary = true } },
    { "the last value of a field wins",
      given = {
        t.registered(),
        { "school.changed", "2020-01-01", education_phase = "secondary" },
        { "school.changed", "2021-01-01", education_phase = "all_through" },
      },
      at = "2025-01-01", expect = { is_primary = true } },
    { "a later registration counts as a change",
      given = { t.registered(), t.registered { [2] = "2020-01-01", status = "closed" } },
      at = "2025-01-01", expect = { is_open = false } },
    turn { "a school closes at the moment of school.closed",
      given = { t.registered(), { "school.closed", "2025-08-31T16:00:00+01:00", reason = "merged" } },
      before = "2025-08-31T14:59:59.999999Z", was = { is_open = true },
      at = "2025-08-31T15:00:00Z", is = { is_open = false } },
    { "a closed school opens again when the register says so",
      given = {
        t.registered(), { "school.closed", "2020-01-01" },
        { "school.changed", "2021-01-01", status = "open" },
      },
      at = "2025-01-01", expect = { is_open = true } },

    ---- the commitment ----
    { "a school is not committed unless it says so", given = { t.registered() }, at = "2025-01-01",
      expect = { committed = false }, missing = { "committed" } },
    { "a commitment stands until it is withdrawn, by whomever it was given",
      given = { { "commitment.given", "2016-01-01", by = "head-1" } }, at = "2026-01-01",
      expect = { committed = true } },
    turn { "a withdrawal ends the commitment",
      given = { { "commitment.given", "2024-01-01" }, { "commitment.withdrawn", "2025-02-03T10:00:00Z" } },
      before = "2025-02-03T09:59:59.999999Z", was = { committed = true },
      at = "2025-02-03T10:00:00Z", is = { committed = false } },
    { "a commitment can be given again",
      given = {
        { "commitment.given", "2022-01-01" }, { "commitment.withdrawn", "2023-01-01" },
        { "commitment.given", "2024-01-01" },
      },
      at = "2025-01-01", expect = { committed = true } },
    { "a withdrawal before the commitment does not touch it",
      given = { { "commitment.given", "2024-01-01" }, { "commitment.withdrawn", "2023-01-01" } },
      at = "2025-01-01", expect = { committed = true } },

    ---- the lead participant teachers ----
    { "no lead is not enough", given = { t.registered() }, at = "2025-11-01",
      expect = { two_leads = false }, missing = { "two_leads" } },
    { "one lead is not enough", given = { { "lead.named", teacher = "t1" } }, at = "2025-11-01",
      expect = { two_leads = false }, missing = { "two_leads" } },
    { "two leads are enough",
      given = { { "lead.named", teacher = "t1" }, { "lead.named", teacher = "t2" } }, at = "2025-11-01",
      expect = { two_leads = true }, missing = {} },
    { "three leads are enough",
      given = {
        { "lead.named", teacher = "t1" }, { "lead.named", teacher = "t2" }, { "lead.named", teacher = "t3" },
      },
      at = "2025-11-01", expect = { two_leads = true } },
    { "a lead who is named twice counts once",
      given = { { "lead.named", teacher = "t1" }, { "lead.named", teacher = "t1" } }, at = "2025-11-01",
      expect = { two_leads = false } },
    turn { "a lead who stands down no longer counts",
      given = {
        { "lead.named", "2024-01-01", teacher = "t1" }, { "lead.named", "2024-01-01", teacher = "t2" },
        { "lead.stood_down", "2025-02-03T10:00:00Z", teacher = "t1" },
      },
      before = "2025-02-03T09:59:59.999999Z", was = { two_leads = true },
      at = "2025-02-03T10:00:00Z", is = { two_leads = false } },
    { "a lead who stood down can be named again",
      given = {
        { "lead.named", "2024-01-01", teacher = "t1" }, { "lead.named", "2024-01-01", teacher = "t2" },
        { "lead.stood_down", "2024-02-01", teacher = "t1" }, { "lead.named", "2024-03-01", teacher = "t1" },
      },
      at = "2025-01-01", expect = { two_leads = true } },
    { "one who was never named, or is named only later, does not stand down",
      given = {
        { "lead.named", "2024-01-01", teacher = "t1" }, { "lead.named", "2024-01-01", teacher = "t2" },
        { "lead.stood_down", "2024-02-01", teacher = "t3" }, { "lead.stood_down", "2023-02-01", teacher = "t1" },
      },
      at = "2025-01-01", expect = { two_leads = true } },

    ---- the last contact ----
    { "without any contact there is no last one",
      given = { t.registered(), { "lead.named", teacher = "t1" } }, at = "2025-01-01",
      expect = { last_contact = null } },
    { "a contact between meetings counts",
      given = { { "contact.made", "2024-12-01T10:00:00Z", group = "group/g", academic_year = "2024/25" } },
      at = "2025-01-01", expect = { last_contact = "2024-12-01" } },
    { "a support visit is a contact", given = { t.visited("2024/25", 1) }, at = "2025-01-01",
      expect = { last_contact = "2024-11-25" } },
    { "a meeting of any kind with one of its teachers is a contact",
      given = { t.met("2024/25", 1, { "t1" }, { kind = "readiness" }) }, at = "2025-01-01",
      expect = { last_contact = "2024-10-10" } },
    { "a meeting with none of its teachers is no contact", given = { t.met("2024/25", 1, {}) },
      at = "2025-01-01", expect = { last_contact = null } },
    { "a meeting with teachers of other schools only is no contact",
      given = { t.met("2024/25", 1, {}, { attendance = { [t.SCHOOL] = {}, ["school/200002"] = { "x1" } } }) },
      at = "2025-01-01", expect = { last_contact = null } },
    { "the latest contact counts, in whatever order they arrive",
      given = { t.visited("2024/25", 3), t.visited("2024/25", 1), t.met("2024/25", 4, { "t1" }) },
      at = "2025-08-01", expect = { last_contact = "2025-05-10" } },
    { "a contact still to come does not count yet",
      given = { t.visited("2024/25", 1), t.visited("2024/25", 2) }, at = "2025-01-01",
      expect = { last_contact = "2024-11-25" } },
    { "the day of a contact is that of England in summer",
      given = { { "contact.made", "2025-06-30T23:30:00Z", group = "group/g", academic_year = "2024/25" } },
      at = "2025-08-01", expect = { last_contact = "2025-07-01" } },
    { "the day of a contact is that of England in winter",
      given = { { "contact.made", "2025-01-31T23:30:00Z", group = "group/g", academic_year = "2024/25" } },
      at = "2025-08-01", expect = { last_contact = "2025-01-31" } },

    ---- at the beginning ----
    { "a school begins in no phase, with nothing counted",
      given = { t.registered() }, at = "2025-01-01",
      expect = {
        pathway_phase = "none", phase_since = null, entered = null, succeeded_by = null,
        development_year = null, development_attendance = null, development_meetings = 0,
        development_observations = 0, development_visits = 0, development_complete = false,
        areas_secure = 0, building_focuses = 0, building_years = 0, sustaining_years = 0, ready = true,
        eligible_preparatory = false, eligible_development = false, eligible_building = false,
        eligible_refinement = false,
      } },
    { "a school begins with no alert", given = { t.registered() }, at = "2025-01-01",
      expect = {
        lead_missing = false, meeting_missed = false, meeting_unrecorded = false, visit_overdue = false,
        development_incomplete = false, out_of_order = false, out_of_contact = false,
        sustaining_lapsed = false, stale_urn = false,
      } },
    { "every optional field of an event may be given",
      given = {
        t.registered { [2] = "2024-12-31", la = "801", postcode = "BS1 1AA", pupils = 0 },
        { "school.changed", la = "802", postcode = "BS2 2BB", pupils = 100000, hub = "02", name = "Ashdown" },
        { "programme.entered", academic_year = "2024/25" },
        { "specialist.appointed", person = "s1", cohort = 11 },
        { "specialist.stood_down", person = "s1", cohort = 11 },
        { "commitment.given", by = "head-1" }, { "commitment.withdrawn", by = "head-1" },
        { "readiness.assessed", area = "school_systems", judgement = "secure", by = "m1", note = "seen" },
        { "group.joined", group = "group/g", kind = "readiness", academic_year = "2024/25" },
        { "group.left", group = "group/g", kind = "readiness", academic_year = "2024/25", reason = "staff" },
        { "school.visited", group = "group/g", academic_year = "2024/25", term = 1, by = "m1", note = "seen" },
        { "contact.made", group = "group/g", academic_year = "2024/25", note = "by telephone" },
        { "waiver.granted", rule = "committed", reason = "agreed", ["until"] = "2025-07-31", by = "m1" },
        { "waiver.ended", rule = "committed", reason = "over", ["until"] = "2025-07-31", by = "m1" },
        { "school.closed", reason = "merged" },
        { "group.formed", kind = "readiness", hub = "01", academic_year = "2024/25", lead = "m1" },
      },
      at = "2025-01-01", expect = { is_open = false, areas_secure = 1, last_contact = "2024-12-31" } },
  },
}
