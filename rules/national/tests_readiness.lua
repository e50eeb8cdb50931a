--- Tests: the five readiness areas, and the Preparatory phase.
local t = import "tests_shared"
local words = import "words"
local all, turn = t.all, t.turn

-- All areas but the last `but` judged secure on this day.
local function secure(time, but)
  local list = {}
  for i = 1, #words.areas - (but or 0) do list[i] = t.assessed(words.areas[i], "secure", time) end
  return list
end

local below = t.assessed("school_systems", "developing", "2024-06-01")

-- In the Preparatory phase from 1 September 2024 on.
local preparing = all { t.committed, below, t.joined("readiness", "2024/25") }

local function area_tests()
  local tests = {}
  for _, area in ipairs(words.areas) do
    local decision = "readiness_" .. area
    tests[#tests + 1] = {
      decision .. " shows the last judgement of that area",
      given = {
        t.assessed(area, "secure", "2024-03-01"), t.assessed(area, "not_yet", "2024-01-01"),
        t.assessed(area, "developing", "2024-02-01"),
      },
      at = "2025-01-01", expect = { [decision] = "secure", areas_secure = 1 },
    }
  end
  return tests
end

local function counting_tests()
  local tests = {}
  for count = 0, 5 do
    tests[#tests + 1] = {
      count .. " secure areas are counted as " .. count,
      given = all { t.registered(), secure("2024-01-01", 5 - count) }, at = "2025-01-01",
      expect = { areas_secure = count, ready = true },
    }
  end
  return tests
end

return pack {
  tests = all {
    ---- the areas ----
    { "an area is not assessed before anybody judges it", given = { t.registered() }, at = "2025-01-01",
      expect = {
        readiness_vision_and_culture = "not_assessed", readiness_mathematical_mindsets = "not_assessed",
        readiness_subject_expertise = "not_assessed", readiness_school_systems = "not_assessed",
        readiness_arithmetical_proficiency = "not_assessed",
      } },
    area_tests(),
    { "each area has a judgement of its own",
      given = {
        t.assessed("school_systems", "not_yet", "2024-01-01"),
        t.assessed("subject_expertise", "developing", "2024-01-01"),
        t.assessed("vision_and_culture", "secure", "2024-01-01"),
      },
      at = "2025-01-01",
      expect = {
        readiness_school_systems = "not_yet", readiness_subject_expertise = "developing",
        readiness_vision_and_culture = "secure", readiness_mathematical_mindsets = "not_assessed",
        areas_secure = 1,
      } },
    counting_tests(),
    turn { "a judgement counts from its moment on",
      given = { t.assessed("school_systems", "secure", "2025-05-01T10:00:00+01:00") },
      before = "2025-05-01T08:59:59.999999Z", was = { readiness_school_systems = "not_assessed", areas_secure = 0 },
      at = "2025-05-01T09:00:00Z", is = { readiness_school_systems = "secure", areas_secure = 1 } },

    ---- ready ----
    { "one area that is developing stands against Development",
      given = { t.assessed("school_systems", "developing", "2024-01-01") }, at = "2025-01-01",
      expect = { ready = false }, missing = { "nothing_below_secure" } },
    { "one area that is not yet there stands against Development, four secure ones or not",
      given = all { secure("2024-01-01"), t.assessed("school_systems", "not_yet", "2024-02-01") },
      at = "2025-01-01", expect = { ready = false, areas_secure = 4 }, missing = { "nothing_below_secure" } },
    { "an area that has become secure stands no longer against Development",
      given = {
        t.assessed("school_systems", "developing", "2024-01-01"), t.assessed("school_systems", "secure", "2024-02-01"),
      },
      at = "2025-01-01", expect = { ready = true }, missing = {} },
    { "in the Preparatory phase an area that is not assessed is not secure",
      given = all { preparing, secure("2025-01-01", 1) }, at = "2025-02-01",
      expect = { pathway_phase = "preparatory", areas_secure = 4, ready = false },
      missing = { "all_secure_if_preparatory" } },
    { "in the Preparatory phase five secure areas are ready",
      given = all { preparing, secure("2025-01-01") }, at = "2025-02-01",
      expect = { pathway_phase = "preparatory", areas_secure = 5, ready = true }, missing = {} },
    { "in the Preparatory phase an area below secure fails both criteria",
      given = preparing, at = "2025-02-01", expect = { ready = false },
      missing = { "all_secure_if_preparatory", "nothing_below_secure" } },
    { "in no phase an area that is not assessed does not matter",
      given = all { t.registered(), secure("2024-01-01", 1) }, at = "2025-01-01", expect = { ready = true } },
    { "in the Development phase an area that is not assessed does not matter either",
      given = all { t.registered(), t.recorded("development"), secure("2024-01-01", 1) }, at = "2025-01-01",
      expect = { ready = true } },
    { "in the Development phase an area below secure still stands against it",
      given = { t.registered(), t.recorded("development"), below }, at = "2025-01-01", expect = { ready = false } },

    ---- may join a Mastery Readiness Work Group ----
    { "a committed school with an area below secure may join a Readiness group",
      given = all { t.committed, below }, at = "2025-01-01",
      expect = { eligible_preparatory = true }, missing = {} },
    { "a school with nothing judged below secure has no need of Readiness",
      given = all { t.committed, secure("2024-01-01") }, at = "2025-01-01",
      expect = { eligible_preparatory = false }, missing = { "something_to_strengthen" } },
    { "a school that was never assessed may not join a Readiness group",
      given = t.committed, at = "2025-01-01",
      expect = { eligible_preparatory = false }, missing = { "something_to_strengthen" } },
    { "an uncommitted school may not join a Readiness group",
      given = { t.registered(), below }, at = "2025-01-01",
      expect = { eligible_preparatory = false }, missing = { "committed" } },
    { "a closed school may not join a Readiness group",
      given = all { t.committed, below, { "school.closed", "2024-07-01" } }, at = "2025-01-01",
      expect = { eligible_preparatory = false }, missing = { "registered_open" } },
    { "a secondary school may not join a Readiness group",
      given = { t.registered { education_phase = "secondary" }, { "commitment.given", "2024-01-01" }, below },
      at = "2025-01-01", expect = { eligible_preparatory = false }, missing = { "is_primary" } },
    { "a school in the Preparatory phase may join a Readiness group again",
      given = preparing, at = "2025-01-01",
      expect = { pathway_phase = "preparatory", eligible_preparatory = true } },
    { "a school in the Development phase may not join a Readiness group any more",
      given = all { t.committed, below, t.recorded("development") }, at = "2025-01-01",
      expect = { eligible_preparatory = false }, missing = { "before_development" } },
    { "of a school of which nothing is known, everything is missing",
      given = { { "contact.made", group = "group/g", academic_year = "2024/25" } }, at = "2025-01-01",
      expect = { eligible_preparatory = false },
      missing = { "committed", "is_primary", "registered_open", "something_to_strengthen" } },

    ---- into the Preparatory phase ----
    turn { "a school enters the Preparatory phase when the year of its group begins, at midnight in summer time",
      given = preparing,
      before = "2024-08-31T22:59:59.999999Z", was = { pathway_phase = "none", phase_since = null },
      at = "2024-08-31T23:00:00Z", is = { pathway_phase = "preparatory", phase_since = "2024-09-01" } },
    turn { "a school enters the Preparatory phase in the middle of the year once it may",
      given = all {
        t.committed, t.joined("readiness", "2024/25"), t.assessed("school_systems", "not_yet", "2024-11-05T10:00:00Z"),
      },
      before = "2024-11-05T09:59:59.999999Z", was = { pathway_phase = "none" },
      at = "2024-11-05T10:00:00Z", is = { pathway_phase = "preparatory", phase_since = "2024-11-05" } },
    { "a school still enters the Preparatory phase in the last microsecond of the year",
      given = all {
        t.committed, t.joined("readiness", "2024/25"),
        t.assessed("school_systems", "not_yet", "2025-08-31T22:59:59.999999Z"),
      },
      at = "2025-10-01", expect = { pathway_phase = "preparatory", phase_since = "2025-08-31" } },
    { "a school does not enter the Preparatory phase when the year is over",
      given = all {
        t.committed, t.joined("readiness", "2024/25"), t.assessed("school_systems", "not_yet", "2025-08-31T23:00:00Z"),
      },
      at = "2025-10-01", expect = { pathway_phase = "none", eligible_preparatory = true } },
    { "a school without a group stays where it is", given = all { t.committed, below }, at = "2025-01-01",
      expect = { pathway_phase = "none" } },
    { "a group of another kind does not lead into the Preparatory phase",
      given = all { t.committed, below, t.joined("development", "2024/25") }, at = "2025-01-01",
      expect = { pathway_phase = "none" } },
    { "a school that left its group before the year stays where it is",
      given = all { preparing, t.left("readiness", "2024/25", "2024-08-01") }, at = "2025-01-01",
      expect = { pathway_phase = "none" } },
    { "a school that may join two groups goes to Development straight away",
      given = all { t.able, below, t.waived("ready", "2024-06-01"), t.joined("readiness", "2024/25"),
        t.joined("development", "2024/25") },
      at = "2024-10-01", expect = { pathway_phase = "development", phase_since = "2024-09-01" } },
    { "an area that becomes secure does not take a school out of the Preparatory phase",
      given = all { preparing, secure("2025-01-01") }, at = "2026-10-01",
      expect = { pathway_phase = "preparatory", phase_since = "2024-09-01" } },
    { "a school goes from the Preparatory phase to Development once five areas are secure",
      given = all {
        preparing, { "lead.named", "2024-10-01", teacher = "t1" }, { "lead.named", "2024-10-01", teacher = "t2" },
        t.joined("development", "2025/26"), secure("2025-07-01"),
      },
      at = "2025-10-01",
      expect = { pathway_phase = "development", phase_since = "2025-09-01", entered = "2025/26" } },
  },
}
