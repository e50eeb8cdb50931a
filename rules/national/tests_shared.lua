--- What the tests of this pack share: the usual beginnings of a school, as lists of events, and the two
-- sides of a turning point. A plain table, to be imported. The school is the one that a test judges
-- unless it says otherwise, school/100001; each kind of Work Group has one group.
local SCHOOL = "school/100001"
local LONG_AGO = "2014-06-01"

-- One day in each half term, and in each term, of every academic year.
local MEETING_DAYS = { "10-10", "11-20", "01-20", "03-05", "04-30", "06-20" }
local VISIT_DAYS = { "11-25", "02-10", "05-10" }

-- The day of an academic year that has this month and day.
local function day_in(year, month_and_day)
  local first = tonumber(year:sub(1, 4))
  return (month_and_day < "09" and first + 1 or first) .. "-" .. month_and_day
end

-- Events and lists of events as one list; likewise tests.
local function all(parts)
  local list = {}
  for _, part in ipairs(parts) do
    for _, entry in ipairs(type(part[1]) == "string" and { part } or part) do list[#list + 1] = entry end
  end
  return list
end

-- One history, asked at the last microsecond before it turns and at the moment at which it does.
local function turn(t)
  return {
    { t[1] .. " (a microsecond before)", subject = t.subject, given = t.given, at = t.before, expect = t.was },
    { t[1] .. " (at that moment)", subject = t.subject, given = t.given, at = t.at, expect = t.is },
  }
end

-- An event with some of its fields changed or added.
local function with(event, changes)
  local changed = {}
  for key, value in pairs(event) do changed[key] = value end
  for key, value in pairs(changes or {}) do changed[key] = value end
  return changed
end

local function registered(changes)
  return with({
    "school.registered", LONG_AGO, name = "Ashdown Primary School", hub = "01",
    education_phase = "primary", status = "open",
  }, changes)
end

-- Open, primary and committed.
local committed = { registered(), { "commitment.given", LONG_AGO } }

-- The same with two lead participant teachers: nothing stands against Development.
local able = all {
  committed,
  { "lead.named", LONG_AGO, teacher = "t1" },
  { "lead.named", LONG_AGO, teacher = "t2" },
}

-- A place in the group of this kind, taken in the July before the year.
local function joined(kind, year, changes)
  local july = tonumber(year:sub(1, 4)) .. "-07-01"
  return with({ "group.joined", july, group = "group/" .. kind, kind = kind, academic_year = year }, changes)
end

local function left(kind, year, time)
  return { "group.left", time, group = "group/" .. kind, kind = kind, academic_year = year }
end

-- A meeting of the Development group, in this half term, with these teachers of the school.
local function met(year, half_term, teachers, changes)
  return with({
    "group.met", day_in(year, MEETING_DAYS[half_term]), as = "group/development", kind = "development",
    academic_year = year, half_term = half_term, attendance = { [SCHOOL] = teachers },
  }, changes)
end

-- Meetings to which both lead participant teachers came.
local function meetings(year, half_terms)
  local list = {}
  for _, half_term in ipairs(half_terms) do list[#list + 1] = met(year, half_term, { "t1", "t2" }) end
  return list
end

local function visited(year, term, changes)
  return with({
    "school.visited", day_in(year, VISIT_DAYS[term]), group = "group/development",
    academic_year = year, term = term,
  }, changes)
end

local function visits(year, terms)
  local list = {}
  for _, term in ipairs(terms) do list[#list + 1] = visited(year, term) end
  return list
end

-- In the Development phase from 1 September of that year on.
local function developing(year) return all { able, joined("development", year) } end

-- The same with every meeting and visit: completed when the year ends.
local function developed(year)
  return all { developing(year), meetings(year, { 1, 2, 3, 4, 5, 6 }), visits(year, { 1, 2, 3 }) }
end

local function assessed(area, judgement, time)
  return { "readiness.assessed", time, area = area, judgement = judgement }
end

local function recorded(phase, time)
  return { "phase.recorded", time or LONG_AGO, pathway_phase = phase }
end

local function waived(rule, time, last_day)
  return { "waiver.granted", time, rule = rule, reason = "agreed by the hub", ["until"] = last_day }
end

-- `id` is the place of the event in the list of the test.
local function voided(id, time, changes)
  return with({ "event.voided", time, source = "urn:test", id = tostring(id) }, changes)
end

return {
  SCHOOL = SCHOOL, LONG_AGO = LONG_AGO,
  all = all, turn = turn, with = with, registered = registered, committed = committed, able = able,
  joined = joined, left = left, met = met, meetings = meetings, visited = visited, visits = visits,
  developing = developing, developed = developed, assessed = assessed, recorded = recorded,
  waived = waived, voided = voided,
}
