--- Tests: when a school entered the programme, and the Refinement phase with its Sustaining Work Groups.
local t = import "tests_shared"
local all, turn = t.all, t.turn

local function entered(year, time) return { "programme.entered", time or t.LONG_AGO, academic_year = year } end
local function appointed(person, time) return { "specialist.appointed", time or t.LONG_AGO, person = person } end

-- In the Refinement phase from 1 September 2024 on.
local refining = { t.registered(), entered("2016/17"), t.joined("sustaining", "2024/25") }

local function entry_year_tests()
  local tests = {}
  local open = {
    ["2014/15"] = false, ["2015/16"] = true, ["2016/17"] = true, ["2018/19"] = true, ["2019/20"] = false,
  }
  for year, may in pairs(open) do
    tests[#tests + 1] = {
      "a school that entered in " .. year .. (may and " may" or " may not") .. " join a Sustaining group",
      given = { t.registered(), entered(year) }, at = "2025-01-01",
      expect = { eligible_refinement = may },
      missing = may and {} or { "entered_early", "has_built", "has_specialist" },
    }
  end
  return tests
end

return pack {
  tests = all {
    ---- when it entered the main programme ----
    { "the year that is named is the year of entry", given = { entered("2016/17") }, at = "2025-01-01",
      expect = { entered = "2016/17" } },
    { "without a year that of the moment counts, to the last microsecond in summer time",
      given = { { "programme.entered", "2016-08-31T22:59:59.999999Z" } }, at = "2025-01-01",
      expect = { entered = "2015/16" } },
    { "without a year that of the moment counts, from midnight in summer time",
      given = { { "programme.entered", "2016-08-31T23:00:00Z" } }, at = "2025-01-01",
      expect = { entered = "2016/17" } },
    { "of several entries the earliest counts",
      given = { entered("2018/19"), entered("2016/17"), entered("2017/18") }, at = "2025-01-01",
      expect = { entered = "2016/17" } },
    turn { "an entry counts from its moment on", given = { entered("2016/17", "2025-01-01T12:00:00Z") },
      before = "2025-01-01T11:59:59.999999Z", was = { entered = null },
      at = "2025-01-01T12:00:00Z", is = { entered = "2016/17" } },
    { "moving into Development is an entry, and the earlier one counts",
      given = all { t.developing("2018/19"), entered("2019/20") }, at = "2025-01-01",
      expect = { entered = "2018/19" } },
    { "an entry that is recorded counts before a later move into Development",
      given = all { t.developing("2018/19"), entered("2017/18") }, at = "2025-01-01",
      expect = { entered = "2017/18" } },
    { "the year of entering Development is that of the move, not of the group",
      given = all {
        t.able, t.joined("development", "2018/19"), t.recorded("none", "2019-10-01"),
        t.joined("development", "2020/21"),
      },
      at = "2025-01-01", expect = { entered = "2018/19", phase_since = "2020-09-01" } },
    { "moving past Development is no entry",
      given = { t.registered(), appointed("s1"), t.joined("sustaining", "2024/25") }, at = "2025-01-01",
      expect = { pathway_phase = "refinement", entered = null } },

    ---- may join a Sustaining Work Group ----
    entry_year_tests(),
    { "a school that never entered may not join a Sustaining group", given = t.able, at = "2025-01-01",
      expect = { eligible_refinement = false }, missing = { "entered_early", "has_built", "has_specialist" } },
    { "a closed school may not join a Sustaining group",
      given = { t.registered { status = "closed" }, entered("2016/17") }, at = "2025-01-01",
      expect = { eligible_refinement = false }, missing = { "registered_open" } },
    turn { "a school may join a Sustaining group after a year of Embedding",
      given = all { t.developed("2020/21"), t.joined("embedding", "2021/22") },
      before = "2022-08-31T22:59:59.999999Z", was = { eligible_refinement = false },
      at = "2022-08-31T23:00:00Z", is = { eligible_refinement = true } },
    turn { "a school where a specialist works may join a Sustaining group",
      given = { t.registered(), appointed("s1", "2025-01-15T10:00:00Z") },
      before = "2025-01-15T09:59:59.999999Z", was = { eligible_refinement = false },
      at = "2025-01-15T10:00:00Z", is = { eligible_refinement = true } },
    turn { "a specialist who stands down no longer counts",
      given = { t.registered(), appointed("s1"), { "specialist.stood_down", "2025-01-15T10:00:00Z", person = "s1" } },
      before = "2025-01-15T09:59:59.999999Z", was = { eligible_refinement = true },
      at = "2025-01-15T10:00:00Z", is = { eligible_refinement = false } },
    { "a second specialist still works there",
      given = { t.registered(), appointed("s1"), appointed("s2"), { "specialist.stood_down", "2020-01-01", person = "s1" } },
      at = "2025-01-01", expect = { eligible_refinement = true } },
    { "a specialist need not be at a primary, committed school",
      given = { t.registered { education_phase = "secondary" }, appointed("s1") }, at = "2025-01-01",
      expect = { eligible_refinement = true } },

    ---- into the Refinement phase ----
    turn { "a school enters Refinement when the year of its group begins, whatever its phase",
      given = refining,
      before = "2024-08-31T22:59:59.999999Z", was = { pathway_phase = "none", sustaining_years = 0 },
      at = "2024-08-31T23:00:00Z",
      is = { pathway_phase = "refinement", phase_since = "2024-09-01", sustaining_years = 1, development_complete = false } },
    { "a school goes from Development to Refinement",
      given = all { t.developing("2016/17"), t.joined("sustaining", "2017/18") }, at = "2017-09-01",
      expect = { pathway_phase = "refinement", phase_since = "2017-09-01", development_complete = false } },
    { "a school goes from Building to Refinement",
      given = all { t.developed("2020/21"), t.joined("embedding", "2021/22"), t.joined("sustaining", "2022/23") },
      at = "2022-09-01",
      expect = { pathway_phase = "refinement", phase_since = "2022-09-01", building_years = 1, sustaining_years = 1 } },
    { "Refinement goes before Building where both may be entered",
      given = all { t.developed("2016/17"), t.joined("embedding", "2017/18"), t.joined("sustaining", "2017/18") },
      at = "2017-09-01",
      expect = { pathway_phase = "refinement", phase_since = "2017-09-01", building_years = 0, sustaining_years = 1 } },
    { "a school that may not join stays where it is though it is in the group",
      given = all { t.able, entered("2019/20"), t.joined("sustaining", "2024/25") }, at = "2025-01-01",
      expect = { pathway_phase = "none", sustaining_years = 0 } },
    turn { "a school in a Sustaining group enters Refinement as soon as it may",
      given = { t.registered(), t.joined("sustaining", "2024/25"), appointed("s1", "2025-06-15T23:30:00Z") },
      before = "2025-06-15T23:29:59.999999Z", was = { pathway_phase = "none" },
      at = "2025-06-15T23:30:00Z", is = { pathway_phase = "refinement", phase_since = "2025-06-16" } },
    { "a school stays in Refinement without a group, a specialist or an open door",
      given = {
        t.registered(), appointed("s1"), t.joined("sustaining", "2024/25"),
        { "specialist.stood_down", "2024-10-01", person = "s1" }, { "school.closed", "2024-11-01" },
      },
      at = "2027-01-01", expect = { pathway_phase = "refinement", phase_since = "2024-09-01" } },

    ---- the years of Sustaining ----
    { "each year in a Sustaining group counts from its first day",
      given = all { refining, t.joined("sustaining", "2025/26") }, at = "2025-09-01",
      expect = { sustaining_years = 2, phase_since = "2024-09-01" } },
    { "a year of Sustaining that has not begun does not count",
      given = all { refining, t.joined("sustaining", "2025/26", { [2] = "2024-07-01" }) },
      at = "2025-08-31T22:59:59.999999Z", expect = { sustaining_years = 1 } },
    { "two Sustaining groups in one year count as one",
      given = all { refining, t.joined("sustaining", "2024/25", { group = "group/other" }) }, at = "2025-09-01",
      expect = { sustaining_years = 1 } },
    { "a year of Sustaining counts though the school left the group in it",
      given = all { refining, t.left("sustaining", "2024/25", "2024-09-02") }, at = "2025-09-01",
      expect = { sustaining_years = 1 } },
    { "a Sustaining group that it left before the year does not count",
      given = all { refining, t.left("sustaining", "2024/25", "2024-08-30") }, at = "2025-09-01",
      expect = { pathway_phase = "none", sustaining_years = 0 } },
    { "Sustaining before Refinement does not count",
      given = { t.recorded("building"), t.joined("sustaining", "2024/25"), t.recorded("refinement", "2025-09-01") },
      at = "2025-10-01", expect = { sustaining_years = 0 } },
    { "Embedding in Refinement is no Sustaining",
      given = { t.recorded("refinement"), t.joined("embedding", "2024/25") }, at = "2025-01-01",
      expect = { sustaining_years = 0 } },
  },
}
