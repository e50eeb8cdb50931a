--- Tests of hub 93's overlay: two years, told as events.
local MEETING_DAYS = { "10-10", "11-20", "01-20", "03-05", "04-30", "06-20" }
local VISIT_DAYS = { "11-25", "02-10", "05-10" }

local function day_in(year, month_and_day)
  local first = tonumber(year:sub(1, 4))
  return (month_and_day < "09" and first + 1 or first) .. "-" .. month_and_day
end

local function add(list, events)
  for _, event in ipairs(events) do list[#list + 1] = event end
  return list
end

local function able()
  return {
    { "school.registered", "2024-06-01", name = "Ashdown Primary School", hub = "93",
      education_phase = "primary", status = "open" },
    { "commitment.given", "2024-06-01" },
    { "lead.named", "2024-06-01", teacher = "t1" },
    { "lead.named", "2024-06-01", teacher = "t2" },
  }
end

local function entered(year)
  return { { "group.joined", year:sub(1, 4) .. "-07-01", group = "group/intro", kind = "development", academic_year = year } }
end

local introductory = { { "h93.introductory.joined", "2025-07-01", group = "group/intro", academic_year = "2025/26" } }

-- All meetings and visits of a year.
local function worked(year)
  local list = {}
  for half_term, day in ipairs(MEETING_DAYS) do
    list[#list + 1] = { "group.met", day_in(year, day), as = "group/intro", kind = "development", academic_year = year,
      half_term = half_term, attendance = { ["school/100001"] = { "t1", "t2" } } }
  end
  for term, day in ipairs(VISIT_DAYS) do
    list[#list + 1] = { "school.visited", day_in(year, day), group = "group/intro", academic_year = year, term = term }
  end
  return list
end

local first = add(add(add(able(), introductory), entered "2025/26"), worked "2025/26")
local both = add(add(add({}, first), entered "2026/27"), worked "2026/27")

return overlay {
  tests = {
    { "one year is not enough", given = first, at = "2026-09-15",
      expect = { development_complete = false, pathway_phase = "development", h93_introductory_year = 2,
        eligible_building = false },
      missing = { "h93_both_years", "h93_not_introductory" } },
    { "two years are", given = both, at = "2027-09-15",
      expect = { development_complete = true, h93_introductory_year = null, eligible_building = true } },
    { "not a microsecond before the second ends", given = both, at = "2027-08-31T22:59:59.999999Z",
      expect = { development_complete = false, h93_introductory_year = 2 } },
    { "a school of the old kind completes Development in a year",
      given = add(add(able(), entered "2024/25"), worked "2024/25"), at = "2025-09-15",
      expect = { development_complete = true, h93_introductory_year = null } },
    { "a school that was in the programme before may not join",
      given = add(able(), { { "programme.entered", "2019-09-01", academic_year = "2017/18" } }), at = "2025-06-01",
      expect = { eligible_development = false }, missing = { "h93_new" } },
    { "the second year is asked for in June", given = first, at = "2026-05-31T22:59:59Z",
      expect = { h93_second_year_missing = false } },
    { "from its first day", given = first, at = "2026-05-31T23:00:00Z", expect = { h93_second_year_missing = true } },
    { "and no longer once it is entered", given = add(add({}, first), { { "group.joined", "2026-06-02",
        group = "group/intro", kind = "development", academic_year = "2026/27" } }), at = "2026-06-03",
      expect = { h93_second_year_missing = false } },
    { "a group of nine is no larger than allowed from September 2025 on", subject = "group/intro",
      given = add({ { "group.formed", "2025-07-01", kind = "development", hub = "93", academic_year = "2025/26" } },
        (function()
          local list = {}
          for i = 1, 9 do
            list[i] = { "group.joined", "2025-07-02", as = "school/10000" .. i, group = "group/intro",
              kind = "development", academic_year = "2025/26" }
          end
          list[10] = { "h93.introductory.joined", "2025-07-02", group = "group/intro", academic_year = "2025/26" }
          return list
        end)()),
      at = "2025-10-01", expect = { group_schools = 9, group_size_ok = true, h93_introductory_schools = 9 } },
  },
}
