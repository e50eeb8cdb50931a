--- Tests: the Building phase, with an Embedding Work Group.
local t = import "tests_shared"
local all, turn = t.all, t.turn

-- In the Building phase from 1 September 2024 on, after a full Development year.
local building = all { t.developed("2023/24"), t.joined("embedding", "2024/25") }

local function worked(focus, year, time)
  return { "focus.worked", time or "2025-01-15", group = "group/embedding", academic_year = year or "2024/25", focus = focus }
end

return pack {
  tests = all {
    ---- may join an Embedding Work Group ----
    turn { "a school may join an Embedding group once Development is completed",
      given = t.developed("2023/24"),
      before = "2024-08-31T22:59:59.999999Z", was = { eligible_building = false },
      at = "2024-08-31T23:00:00Z", is = { eligible_building = true } },
    { "a school that has not completed Development may not join an Embedding group",
      given = t.able, at = "2025-01-01", expect = { eligible_building = false }, missing = { "development_complete" } },
    { "a closed school may not join an Embedding group",
      given = { t.registered(), t.recorded("building"), { "school.closed", "2024-01-01" } }, at = "2025-01-01",
      expect = { eligible_building = false }, missing = { "registered_open" } },
    { "neither commitment nor leads are asked for again",
      given = { t.registered { education_phase = "other" }, t.recorded("building") }, at = "2025-01-01",
      expect = { eligible_building = true }, missing = {} },

    ---- into the Building phase ----
    turn { "Development is completed and Building entered at one midnight",
      given = building,
      before = "2024-08-31T22:59:59.999999Z", was = { pathway_phase = "development", phase_since = "2023-09-01" },
      at = "2024-08-31T23:00:00Z", is = { pathway_phase = "building", phase_since = "2024-09-01" } },
    turn { "a school enters Building when it joins a group whose year is running",
      given = all { t.developed("2023/24"), t.joined("embedding", "2024/25", { [2] = "2025-06-15T23:30:00Z" }) },
      before = "2025-06-15T23:29:59.999999Z", was = { pathway_phase = "development" },
      at = "2025-06-15T23:30:00Z", is = { pathway_phase = "building", phase_since = "2025-06-16" } },
    { "a school without an Embedding group stays in Development", given = t.developed("2023/24"),
      at = "2026-01-01", expect = { pathway_phase = "development", development_complete = true } },
    { "a school whose Development is not completed stays in it",
      given = all { t.developing("2023/24"), t.joined("embedding", "2024/25") }, at = "2025-01-01",
      expect = { pathway_phase = "development", building_years = 0 } },
    { "an Embedding group beside the Development group does not outlast its year",
      given = all { t.developed("2023/24"), t.joined("embedding", "2023/24") }, at = "2025-01-01",
      expect = { pathway_phase = "development", building_years = 0 } },
    { "an Embedding group that it left leads nowhere",
      given = all { building, t.left("embedding", "2024/25", "2024-08-01") }, at = "2025-01-01",
      expect = { pathway_phase = "development" } },
    { "Building follows on Development alone",
      given = all { t.able, t.waived("eligible_building", t.LONG_AGO), t.joined("embedding", "2024/25") },
      at = "2025-01-01", expect = { pathway_phase = "none", building_years = 0 } },
    { "a school in the Preparatory phase does not go on to Building",
      given = all {
        t.registered(), t.recorded("preparatory"), t.waived("eligible_building", t.LONG_AGO), t.joined("embedding", "2024/25"),
      },
      at = "2025-01-01", expect = { pathway_phase = "preparatory" } },
    { "a school moves from none to Building in two steps of one moment",
      given = all {
        t.able, t.waived("eligible_building", t.LONG_AGO), t.joined("development", "2024/25"),
        t.joined("embedding", "2024/25"),
      },
      at = "2024-09-01",
      expect = { pathway_phase = "building", phase_since = "2024-09-01", entered = "2024/25", development_complete = false } },

    ---- the years of Embedding ----
    turn { "a year of Embedding counts when it has ended",
      given = building,
      before = "2025-08-31T22:59:59.999999Z", was = { building_years = 0 },
      at = "2025-08-31T23:00:00Z", is = { building_years = 1 } },
    { "two years of Embedding count as two", given = all { building, t.joined("embedding", "2025/26") },
      at = "2026-09-01", expect = { building_years = 2 } },
    { "two groups in one year count as one",
      given = all { building, t.joined("embedding", "2024/25", { group = "group/other" }) }, at = "2025-09-01",
      expect = { building_years = 1 } },
    { "a year counts though the school left the group in it",
      given = all { building, t.left("embedding", "2024/25", "2024-10-01") }, at = "2025-09-01",
      expect = { building_years = 1 } },
    { "a year that was over when the place was recorded does not count",
      given = all { building, t.joined("embedding", "2023/24", { [2] = "2024-10-01" }) }, at = "2025-09-01",
      expect = { building_years = 1 } },
    { "a school that is recorded in Building counts its running group",
      given = { t.recorded("building", "2024-10-01"), t.joined("embedding", "2024/25") }, at = "2025-09-01",
      expect = { building_years = 1 } },
    { "a school that is recorded in Building when the year is over counts nothing",
      given = { t.recorded("building", "2025-09-01"), t.joined("embedding", "2024/25") }, at = "2025-10-01",
      expect = { building_years = 0 } },
    { "Embedding still counts in Refinement",
      given = { t.recorded("refinement"), t.joined("embedding", "2024/25") }, at = "2025-09-01",
      expect = { building_years = 1 } },
    { "Embedding in Development does not count",
      given = { t.recorded("development"), t.joined("embedding", "2024/25") }, at = "2025-09-01",
      expect = { building_years = 0 } },
    { "groups of other kinds do not count as Embedding",
      given = { t.recorded("building"), t.joined("development", "2024/25"), t.joined("sustaining", "2024/25") },
      at = "2025-09-01", expect = { building_years = 0 } },

    ---- the four focuses ----
    { "each focus counts once",
      given = all { building, worked("lesson_design"), worked("lesson_design"), worked("subject_knowledge") },
      at = "2025-02-01", expect = { building_focuses = 2 } },
    { "all four focuses",
      given = all {
        building, worked("systems_and_culture"), worked("subject_knowledge"), worked("lesson_design"),
        worked("leadership_support"),
      },
      at = "2025-02-01", expect = { building_focuses = 4 } },
    { "focuses of several years of Embedding are counted together",
      given = all {
        building, t.joined("embedding", "2025/26"), worked("lesson_design"),
        worked("leadership_support", "2025/26", "2026-01-15"), worked("lesson_design", "2025/26", "2026-01-15"),
      },
      at = "2026-02-01", expect = { building_focuses = 2 } },
    { "a focus of a year without Embedding does not count",
      given = all { building, worked("lesson_design", "2023/24"), worked("lesson_design", "2025/26") },
      at = "2025-12-01", expect = { building_focuses = 0 } },
    turn { "a focus counts though it was recorded before the school entered Building",
      given = all {
        t.developed("2023/24"), worked("lesson_design", "2024/25", "2024-10-01"),
        t.joined("embedding", "2024/25", { [2] = "2024-11-01T12:00:00Z" }),
      },
      before = "2024-11-01T11:59:59.999999Z", was = { building_focuses = 0 },
      at = "2024-11-01T12:00:00Z", is = { building_focuses = 1 } },
    turn { "a focus counts from its moment on",
      given = all { building, worked("lesson_design", "2024/25", "2025-01-15T10:00:00Z") },
      before = "2025-01-15T09:59:59.999999Z", was = { building_focuses = 0 },
      at = "2025-01-15T10:00:00Z", is = { building_focuses = 1 } },
  },
}
