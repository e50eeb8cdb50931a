--- Tests: what is decided about a Work Group.
local t = import "tests_shared"
local all, turn = t.all, t.turn

local GROUP = "group/development"

local function formed(kind, year, changes)
  return t.with({
    "group.formed", t.LONG_AGO, as = GROUP, kind = kind or "development", hub = "01", academic_year = year or "2024/25",
  }, changes)
end

-- This many schools in the group.
local function schools(count)
  local list = {}
  for i = 1, count do list[i] = t.joined("development", "2024/25", { as = "school/" .. (100000 + i) }) end
  return list
end

local function size_tests()
  local tests = {}
  local right = { [0] = false, [1] = false, [5] = false, [6] = true, [7] = true, [8] = false }
  for count, is_right in pairs(right) do
    tests[#tests + 1] = {
      count .. " schools are " .. (is_right and "the right size" or "not the right size") .. " for a Development group",
      subject = GROUP, given = all { formed(), schools(count) }, at = "2025-01-01",
      expect = { group_schools = count, group_size_ok = is_right },
    }
  end
  return tests
end

local function overdue_tests()
  local bounds = {
    { "2024-11-17T23:59:59.999999Z", "2024-11-18T00:00:00Z" }, { "2025-01-19T23:59:59.999999Z", "2025-01-20T00:00:00Z" },
    { "2025-03-09T23:59:59.999999Z", "2025-03-10T00:00:00Z" }, { "2025-05-05T22:59:59.999999Z", "2025-05-05T23:00:00Z" },
    { "2025-06-15T22:59:59.999999Z", "2025-06-15T23:00:00Z" },
  }
  local tests = {}
  for missing, bound in ipairs(bounds) do
    local given = { formed() }
    for half_term = 1, 6 do
      if half_term ~= missing then given[#given + 1] = t.met("2024/25", half_term, {}) end
    end
    tests[#tests + 1] = turn { "a group that did not meet in half term " .. missing .. " has missed it 14 days after its end",
      subject = GROUP, given = given,
      before = bound[1], was = { group_meeting_missed = false }, at = bound[2], is = { group_meeting_missed = true } }
  end
  return all(tests)
end

return pack {
  tests = all {
    ---- members ----
    { "a group without schools has none", subject = GROUP, given = { formed() }, at = "2025-01-01",
      expect = { group_schools = 0, group_meetings = 0 } },
    turn { "a school is a member from the moment at which it joins, though the year is still to come",
      subject = GROUP, given = { t.joined("development", "2025/26", { [2] = "2025-02-03T10:00:00Z" }) },
      before = "2025-02-03T09:59:59.999999Z", was = { group_schools = 0 },
      at = "2025-02-03T10:00:00Z", is = { group_schools = 1 } },
    turn { "a school is a member until it leaves",
      subject = GROUP,
      given = { t.joined("development", "2024/25"), t.left("development", "2024/25", "2025-02-03T10:00:00Z") },
      before = "2025-02-03T09:59:59.999999Z", was = { group_schools = 1 },
      at = "2025-02-03T10:00:00Z", is = { group_schools = 0 } },
    { "a school that joins twice is one member, and leaves once", subject = GROUP,
      given = {
        t.joined("development", "2023/24"), t.joined("development", "2024/25"),
        t.joined("development", "2024/25", { as = "school/200002" }), t.left("development", "2023/24", "2024-08-01"),
      },
      at = "2025-01-01", expect = { group_schools = 1 } },
    { "a school can become a member again", subject = GROUP,
      given = {
        t.joined("development", "2024/25"), t.left("development", "2024/25", "2024-08-01"),
        t.joined("development", "2024/25", { [2] = "2024-08-10" }),
      },
      at = "2025-01-01", expect = { group_schools = 1 } },
    { "a member stays one when the year of its place is over", subject = GROUP,
      given = { t.joined("development", "2020/21") }, at = "2025-01-01", expect = { group_schools = 1 } },
    { "a voided place makes no member", subject = GROUP,
      given = { t.joined("development", "2024/25"), t.voided(1, "2025-01-01") }, at = "2024-10-01",
      expect = { group_schools = 0 } },
    { "members of another group are not counted", subject = GROUP,
      given = { t.joined("development", "2024/25", { group = "group/other" }), formed() }, at = "2025-01-01",
      expect = { group_schools = 0 } },

    ---- size ----
    size_tests(),
    { "a group of another kind has any size", subject = GROUP, given = all { formed("embedding"), schools(1) },
      at = "2025-01-01", expect = { group_size_ok = true } },
    { "a group that was never formed has any size, whatever its schools joined", subject = GROUP,
      given = schools(1), at = "2025-01-01", expect = { group_size_ok = true } },
    turn { "the kind of a group is that of its forming",
      subject = GROUP, given = all { schools(1), formed("development", "2024/25", { [2] = "2025-02-03T10:00:00Z" }) },
      before = "2025-02-03T09:59:59.999999Z", was = { group_size_ok = true },
      at = "2025-02-03T10:00:00Z", is = { group_size_ok = false } },
    { "a group that is formed anew takes the new kind", subject = GROUP,
      given = all { schools(1), formed(), formed("sustaining", "2024/25", { [2] = "2024-08-01" }) }, at = "2025-01-01",
      expect = { group_size_ok = true } },

    ---- meetings ----
    { "half terms with a meeting are counted, not meetings, of any kind", subject = GROUP,
      given = {
        formed(), t.met("2024/25", 1, {}), t.met("2024/25", 1, {}), t.met("2024/25", 3, {}, { kind = "embedding" }),
      },
      at = "2025-08-01", expect = { group_meetings = 2 } },
    { "a group that was formed counts the meetings of its year only", subject = GROUP,
      given = { formed(), t.met("2023/24", 1, {}), t.met("2023/24", 2, {}), t.met("2024/25", 1, {}) },
      at = "2025-08-01", expect = { group_meetings = 1 } },
    { "a group that was never formed counts the half terms of every year", subject = GROUP,
      given = { t.met("2023/24", 1, {}), t.met("2023/24", 2, {}), t.met("2024/25", 1, {}), t.met("2024/25", 1, {}) },
      at = "2025-08-01", expect = { group_meetings = 3 } },
    { "a voided meeting does not count", subject = GROUP,
      given = { formed(), t.met("2024/25", 1, {}), t.voided(2, "2025-01-01", { as = GROUP }) }, at = "2024-12-01",
      expect = { group_meetings = 0, group_meeting_missed = true } },
    { "meetings of another group are not counted", subject = GROUP,
      given = { formed(), t.met("2024/25", 1, {}, { as = "group/other" }) }, at = "2025-08-01",
      expect = { group_meetings = 0 } },

    ---- group_meeting_missed ----
    overdue_tests(),
    { "a group that met in every half term has missed nothing", subject = GROUP,
      given = all { formed(), t.meetings("2024/25", { 1, 2, 3, 4, 5 }) }, at = "2025-08-31T22:59:59.999999Z",
      expect = { group_meeting_missed = false } },
    { "the sixth half term is not missed while the year runs", subject = GROUP,
      given = all { formed(), t.meetings("2024/25", { 1, 2, 3, 4, 5 }) }, at = "2025-08-31",
      expect = { group_meeting_missed = false, group_meetings = 5 } },
    { "a meeting of another kind is a meeting", subject = GROUP,
      given = { formed(), t.met("2024/25", 1, {}, { kind = "readiness" }) }, at = "2024-11-18",
      expect = { group_meeting_missed = false } },
    { "a meeting of another year is not", subject = GROUP, given = { formed(), t.met("2023/24", 1, {}) },
      at = "2024-11-18", expect = { group_meeting_missed = true } },
    turn { "nothing is missed any more when the year is over",
      subject = GROUP, given = { formed() },
      before = "2025-08-31T22:59:59.999999Z", was = { group_meeting_missed = true },
      at = "2025-08-31T23:00:00Z", is = { group_meeting_missed = false } },
    { "nothing is missed before the year begins", subject = GROUP, given = { formed("development", "2025/26") },
      at = "2025-08-31T22:59:59.999999Z", expect = { group_meeting_missed = false } },
    { "a group of another kind misses nothing", subject = GROUP, given = { formed("embedding") }, at = "2025-07-01",
      expect = { group_meeting_missed = false } },
    { "a group that was never formed misses nothing", subject = GROUP, given = schools(6), at = "2025-07-01",
      expect = { group_meeting_missed = false } },
    turn { "a meeting that is recorded late is no longer missed",
      subject = GROUP, given = { formed(), t.met("2024/25", 1, {}, { [2] = "2024-12-01T10:00:00Z" }) },
      before = "2024-12-01T09:59:59.999999Z", was = { group_meeting_missed = true },
      at = "2024-12-01T10:00:00Z", is = { group_meeting_missed = false } },
  },
}
