#!lua name=pathway
-- Keys, all written by `ingest`:
--   log               stream: every event, as JSON
--   ids               hash: source NUL id -> entry of the log; finds duplicates
--   events:SUBJECT    sorted set: the entries that touch a subject, by time
--   voids:SOURCE NUL ID   set: the entries of the voids that name this event
--   successors:SCHOOL set: the schools that continue this one
--   record:SUBJECT    what is known of a subject as of its last event, packed
--   decisions:SUBJECT hash: name -> value ("" is null)
--   subjects          set: those with decisions
--   changes           stream: subject, name, old, new, cause
--
-- An instant is in microseconds since 1970, a day in days since 1970, an academic year the number of the
-- calendar year in which it starts. Lua's numbers hold all of them exactly.

---- the calendar of Europe/London ----

local SECOND, HOUR, DAY = 1e6, 3600e6, 86400e6

local BEGINNING = -62135596800 * SECOND -- before every event: the year 1

local function floor(x) return x - x % 1 end -- while a library is loaded there is no math

local function day_of_date(y, m, d)
  if m <= 2 then y = y - 1 end
  local era = floor(y / 400)
  local yoe = y - era * 400
  local doy = floor((153 * (m + (m > 2 and -3 or 9)) + 2) / 5) + d - 1
  return era * 146097 + yoe * 365 + floor(yoe / 4) - floor(yoe / 100) + doy - 719468
end

local function date_of_day(day)
  local z = day + 719468
  local era = floor(z / 146097)
  local doe = z - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local mp = floor((5 * doy + 2) / 153)
  local m = mp < 10 and mp + 3 or mp - 9
  return yoe + era * 400 + (m <= 2 and 1 or 0), m, doy - floor((153 * mp + 2) / 5) + 1
end

-- The last Sunday of March or October. (1970-01-01 was a Thursday.)
local function last_sunday(y, m)
  local day = day_of_date(y, m, 31)
  return day - (day + 4) % 7
end

-- Summer time is from one to the other, 01:00 UTC.
local summers = {}
local function is_summer(t)
  local y = date_of_day(floor(t / DAY))
  if not summers[y] then
    summers[y] = { first = last_sunday(y, 3) * DAY + HOUR, last = last_sunday(y, 10) * DAY + HOUR }
  end
  return t >= summers[y].first and t < summers[y].last
end

local function london_day(t)
  return floor((is_summer(t) and t + HOUR or t) / DAY)
end

local function midnight(day)
  local t = day * DAY
  return is_summer(t - HOUR) and t - HOUR or t
end

local function day_of_text(text)
  local y, m, d = text:match("^(%d+)-(%d+)-(%d+)")
  return day_of_date(tonumber(y), tonumber(m), tonumber(d))
end

local function text_of_day(day)
  return string.format("%04d-%02d-%02d", date_of_day(day))
end

-- RFC 3339; digits beyond the microsecond are dropped.
local function instant_of_text(text)
  local h, m, s, fraction, offset = text:match("^....-..-..[Tt](%d%d):(%d%d):(%d%d)%.?(%d*)(.+)$")
  local t = day_of_text(text) * DAY + h * HOUR + m * 60 * SECOND + s * SECOND
  if fraction ~= "" then t = t + tonumber((fraction .. "00000"):sub(1, 6)) end
  local sign, hours, minutes = offset:match("^([+-])(%d%d):(%d%d)$")
  if not sign then return t end
  local shift = hours * HOUR + minutes * 60 * SECOND
  return sign == "+" and t - shift or t + shift
end

local starts = {}
local function year_start(year)
  if not starts[year] then starts[year] = midnight(day_of_date(year, 9, 1)) end
  return starts[year]
end

local function year_of(t)
  local year = date_of_day(floor(t / DAY))
  return t >= year_start(year) and year or year - 1
end

local function year_of_text(text)
  return text and tonumber(text:sub(1, 4))
end

local function text_of_year(year)
  return string.format("%d/%02d", year, (year + 1) % 100)
end

-- First teaching days of the half terms; other years have typical ones.
local CALENDAR = {
  [2015] = { "2015-09-01", "2015-11-02", "2016-01-04", "2016-02-22", "2016-04-11", "2016-06-06" },
  [2016] = { "2016-09-01", "2016-10-31", "2017-01-03", "2017-02-20", "2017-04-18", "2017-06-05" },
  [2017] = { "2017-09-01", "2017-10-30", "2018-01-08", "2018-02-19", "2018-04-16", "2018-06-04" },
  [2018] = { "2018-09-03", "2018-10-29", "2019-01-07", "2019-02-25", "2019-04-23", "2019-06-03" },
  [2019] = { "2019-09-02", "2019-11-04", "2020-01-06", "2020-02-24", "2020-04-20", "2020-06-01" },
  [2020] = { "2020-09-01", "2020-11-02", "2021-01-04", "2021-02-22", "2021-04-19", "2021-06-07" },
  [2021] = { "2021-09-01", "2021-11-01", "2022-01-03", "2022-02-21", "2022-04-19", "2022-06-06" },
  [2022] = { "2022-09-01", "2022-10-31", "2023-01-03", "2023-02-20", "2023-04-17", "2023-06-05" },
  [2023] = { "2023-09-01", "2023-10-30", "2024-01-08", "2024-02-19", "2024-04-15", "2024-06-03" },
  [2024] = { "2024-09-02", "2024-11-04", "2025-01-06", "2025-02-24", "2025-04-22", "2025-06-02" },
  [2025] = { "2025-09-01", "2025-11-03", "2026-01-05", "2026-02-23", "2026-04-13", "2026-06-01" },
  [2026] = { "2026-09-01", "2026-11-02", "2027-01-04", "2027-02-22", "2027-04-12", "2027-06-07" },
}
local TYPICAL = { nil, { 0, 11, 1 }, { 1, 1, 4 }, { 1, 2, 22 }, { 1, 4, 15 }, { 1, 6, 3 } }

-- Is it at least 14 days since the end of this half term?
local function overdue(year, half_term, now)
  local ended
  if half_term == 6 then
    ended = day_of_date(year + 1, 9, 1)
  elseif CALENDAR[year] then
    ended = day_of_text(CALENDAR[year][half_term + 1])
  else
    local date = TYPICAL[half_term + 1]
    ended = day_of_date(year + date[1], date[2], date[3])
  end
  return now >= midnight(ended + 14)
end

---- a school: what each event does to its record ----

local ORDER = { none = 0, preparatory = 1, development = 2, building = 3, refinement = 4 }
local AREAS = {
  "vision_and_culture", "mathematical_mindsets", "subject_expertise", "school_systems", "arithmetical_proficiency",
}
local PRIMARY = { primary = true, infant = true, junior = true, first = true, middle = true, all_through = true }

local function new_school()
  return {
    time = BEGINNING,       -- of its last event
    asked = BEGINNING,      -- when the moves were last asked
    leads = {}, specialists = {}, areas = {}, pathway_phase = "none",
    memberships = {},       -- { group, kind, year }
    development_years = {}, -- set: for which it joined a Development group
    turns = {},             -- set: whose start may move it: those for which it joined a group, and the next ones
    embedded_years = {}, sustained_years = {},
    teachers_met = {},      -- year -> half term -> the most teachers at one Development meeting
    observed = {}, visits = {}, focuses = {}, -- year -> set
    waivers = {},           -- { rule, until }
  }
end

local function size(set)
  local n = 0
  for _ in pairs(set) do n = n + 1 end
  return n
end

local function add(map, year, key, value)
  map[year] = map[year] or {}
  map[year][key] = value or true
end

local function get(map, year, key) return map[year] and map[year][key] end

local function without(list, field, value)
  local kept = {}
  for _, item in ipairs(list) do
    if item[field] ~= value then kept[#kept + 1] = item end
  end
  return kept
end

local function contact(s, e)
  local day = london_day(e.time)
  if not s.last_contact or day > s.last_contact then s.last_contact = day end
end

local function take_register(s, e)
  s.status = e.data.status or s.status
  s.education_phase = e.data.education_phase or s.education_phase
end

local function enter(s, year)
  if not s.entered or year < s.entered then s.entered = year end
end

-- Each gets the record, the event, and the schools through which it came: this one, or predecessors.
local ON_SCHOOL = {
  ["school.registered"] = function(s, e)
    s.registered = true
    take_register(s, e)
  end,
  ["school.changed"] = take_register,
  ["school.closed"] = function(s) s.status = "closed" end,
  ["school.succeeded"] = function(s, e, via, is_own)
    if via[e.subject] then
      s.status = "open"
    elseif is_own then
      s.succeeded_by = e.subject
      s.memberships = {}
    end
  end,
  ["programme.entered"] = function(s, e)
    enter(s, year_of_text(e.data.academic_year) or year_of(e.time))
  end,
  ["phase.recorded"] = function(s, e)
    local phase = e.data.pathway_phase
    if s.pathway_phase ~= phase then s.pathway_phase, s.phase_since = phase, e.time end
    if ORDER[phase] >= ORDER.building then s.completed = true end
  end,
  ["specialist.appointed"] = function(s, e) s.specialists[e.data.person] = true end,
  ["specialist.stood_down"] = function(s, e) s.specialists[e.data.person] = nil end,
  ["commitment.given"] = function(s) s.committed = true end,
  ["commitment.withdrawn"] = function(s) s.committed = false end,
  ["lead.named"] = function(s, e) s.leads[e.data.teacher] = true end,
  ["lead.stood_down"] = function(s, e) s.leads[e.data.teacher] = nil end,
  ["readiness.assessed"] = function(s, e) s.areas[e.data.area] = e.data.judgement end,
  ["group.joined"] = function(s, e)
    local year = year_of_text(e.data.academic_year)
    table.insert(s.memberships, { group = e.data.group, kind = e.data.kind, year = year })
    if e.data.kind == "development" then s.development_years[year] = true end
    s.turns[year], s.turns[year + 1] = true, true
  end,
  ["group.left"] = function(s, e) s.memberships = without(s.memberships, "group", e.data.group) end,
  ["school.visited"] = function(s, e)
    add(s.visits, year_of_text(e.data.academic_year), e.data.term)
    contact(s, e)
  end,
  ["focus.worked"] = function(s, e) add(s.focuses, year_of_text(e.data.academic_year), e.data.focus) end,
  ["contact.made"] = contact,
  ["group.met"] = function(s, e, via)
    local year, half_term = year_of_text(e.data.academic_year), e.data.half_term
    for me in pairs(via) do
      local present = e.data.attendance[me]
      if present then
        local teachers = {}
        for _, teacher in ipairs(present) do teachers[teacher] = true end
        local count = size(teachers)
        if count > 0 then contact(s, e) end
        if e.data.kind == "development" then
          add(s.teachers_met, year, half_term, math.max(count, get(s.teachers_met, year, half_term) or 0))
          if e.data.observation == true and count > 0 then add(s.observed, year, half_term) end
        end
      end
    end
  end,
  ["waiver.granted"] = function(s, e)
    local last = e.data["until"]
    local ends = last and midnight(day_of_text(last) + 1)
    table.insert(s.waivers, { rule = e.data.rule, ends = ends })
  end,
  ["waiver.ended"] = function(s, e) s.waivers = without(s.waivers, "rule", e.data.rule) end,
}
local NOT_STALE = {
  ["school.registered"] = true, ["school.changed"] = true, ["school.closed"] = true,
  ["school.succeeded"] = true, ["event.voided"] = true,
}

local function apply_to_school(s, e, via, subject)
  local is_own = via[subject] == true
  local on = ON_SCHOOL[e.type]
  if on then on(s, e, via, is_own) end
  if s.succeeded_by and is_own and not NOT_STALE[e.type] then s.stale_urn = true end
end

---- a school: how it moves along ----

-- The rules that the moves ask about too.
local function standing_of(s, now)
  local r, waived, below_secure = {}, {}, 0
  local current = year_of(now)
  local before_development = ORDER[s.pathway_phase] < ORDER.development

  for _, w in ipairs(s.waivers) do
    if not w.ends or now < w.ends then waived[w.rule] = true end
  end
  r.is_open = s.registered and (s.status == "open" or s.status == "proposed_to_close") or waived.is_open or false
  r.is_primary = PRIMARY[s.education_phase] or false
  r.committed = s.committed or waived.committed or false
  r.two_leads = size(s.leads) >= 2 or waived.two_leads or false

  r.areas_secure = 0
  for _, judgement in pairs(s.areas) do
    if judgement == "secure" then r.areas_secure = r.areas_secure + 1 else below_secure = below_secure + 1 end
  end
  r.ready = below_secure == 0 and (s.pathway_phase ~= "preparatory" or r.areas_secure == #AREAS)
    or waived.ready or false

  r.eligible_preparatory = r.is_open and r.is_primary and r.committed and before_development and below_secure > 0
    or waived.eligible_preparatory or false
  r.eligible_development = r.is_open and r.is_primary and r.committed and r.two_leads and r.ready
    and before_development or waived.eligible_development or false
  r.development_complete = s.completed or waived.development_complete or false
  r.eligible_building = r.is_open and r.development_complete or waived.eligible_building or false

  r.building_years = 0
  for year in pairs(s.embedded_years) do
    if year < current then r.building_years = r.building_years + 1 end
  end
  local entered_early = s.entered and s.entered >= 2015 and s.entered <= 2018
  r.eligible_refinement = r.is_open and (entered_early or r.building_years >= 1 or next(s.specialists) ~= nil)
    or waived.eligible_refinement or false
  return r
end

-- Half terms of a year at which two teachers met.
local function meetings_counted(s, year)
  local n = 0
  for _, teachers in pairs(s.teachers_met[year] or {}) do
    if teachers >= 2 then n = n + 1 end
  end
  return n
end

local function visits_counted(s, year)
  return size(s.visits[year] or {})
end

-- Ask the moves at this instant until nothing changes.
local function ask(s, now)
  local current, running = year_of(now), {}

  s.asked = now
  for _, m in ipairs(s.memberships) do
    if m.year == current then running[m.kind] = true end
  end
  while true do
    local phase = ORDER[s.pathway_phase]
    if not s.completed and phase >= ORDER.development then
      for year in pairs(s.development_years) do
        if year < current and meetings_counted(s, year) >= 5 and visits_counted(s, year) >= 3 then
          s.completed = true
        end
      end
    end
    if next(running) == nil then return end -- a school moves only in a group

    if running.embedding and phase >= ORDER.building then s.embedded_years[current] = true end
    if running.sustaining and phase == ORDER.refinement then s.sustained_years[current] = true end

    local r, to = standing_of(s, now)
    if running.sustaining and phase < ORDER.refinement and r.eligible_refinement then
      to = "refinement"
    elseif running.embedding and phase == ORDER.development and r.eligible_building then
      to = "building"
    elseif running.development and phase < ORDER.development and r.eligible_development then
      to = "development"
      enter(s, current)
    elseif running.readiness and phase == ORDER.none and r.eligible_preparatory then
      to = "preparatory"
    end
    if not to then return end
    s.pathway_phase, s.phase_since = to, now
  end
end

-- Go on until just before an instant, and ask whenever a year begins or ends that may move the school. (The end
-- of a waiver only stops moves.)
local function advance(s, before)
  if next(s.turns) == nil then return end
  local current = year_of(s.asked)
  while true do
    local turn
    for year in pairs(s.turns) do
      if year > current and (not turn or year < turn) then turn = year end
    end
    if not turn or year_start(turn) >= before then return end
    ask(s, year_start(turn))
    current = turn
  end
end

---- a school: what is decided ----

local PHASE_OF = { readiness = 1, development = 2, embedding = 3, sustaining = 4 } -- as in ORDER

local function judge_school(s, now)
  local d, current, phase = standing_of(s, now), year_of(now), ORDER[s.pathway_phase]

  for _, area in ipairs(AREAS) do d["readiness_" .. area] = s.areas[area] or "not_assessed" end

  local year -- the latest that has begun; if none has, the earliest
  for y in pairs(s.development_years) do
    if not year or (y <= current and (year > current or y > year)) or (y > current and y < year) then year = y end
  end

  local developing = false
  d.out_of_order, d.out_of_contact = false, false
  for _, m in ipairs(s.memberships) do
    if m.year == current then
      if m.kind == "development" and s.pathway_phase == "development" and year == current then developing = true end
      if PHASE_OF[m.kind] > phase then d.out_of_order = true end
      if m.kind == "development" or m.kind == "embedding" then
        local since = math.max(s.last_contact or 0, day_of_date(current, 9, 1))
        if now >= midnight(since + 90) then d.out_of_contact = true end
      end
    end
  end

  d.development_meetings, d.development_observations, d.development_visits = 0, 0, 0
  d.meeting_missed, d.meeting_unrecorded, d.visit_overdue = false, false, false
  if year then
    local marks = ""
    for half_term = 1, 6 do
      local teachers = get(s.teachers_met, year, half_term)
      local mark = not teachers and "-" or tostring(math.min(teachers, 2))
      marks = marks .. mark
      if developing and mark ~= "2" and overdue(year, half_term, now) then
        d[mark == "-" and "meeting_unrecorded" or "meeting_missed"] = true
      end
    end
    d.development_year = text_of_year(year)
    d.development_attendance = marks
    d.development_meetings = meetings_counted(s, year)
    d.development_observations = size(s.observed[year] or {})
    d.development_visits = visits_counted(s, year)
  end
  for term = 1, developing and 3 or 0 do
    if not get(s.visits, year, term) and overdue(year, term * 2, now) then d.visit_overdue = true end
  end
  d.lead_missing = developing and not d.two_leads
  d.development_incomplete = s.pathway_phase == "development" and year ~= nil and year < current
    and not d.development_complete
  d.sustaining_lapsed = s.pathway_phase == "refinement" and now >= midnight(day_of_date(current, 11, 1))
    and not s.sustained_years[current]

  local focuses = {}
  for y in pairs(s.embedded_years) do
    for focus in pairs(s.focuses[y] or {}) do focuses[focus] = true end
  end
  d.building_focuses = size(focuses)
  d.sustaining_years = size(s.sustained_years)
  d.entered = s.entered and text_of_year(s.entered) or ""
  d.last_contact = s.last_contact and text_of_day(s.last_contact) or ""
  d.pathway_phase = s.pathway_phase
  d.phase_since = s.phase_since and text_of_day(london_day(s.phase_since)) or ""
  d.succeeded_by = s.succeeded_by or ""
  d.stale_urn = s.stale_urn or false
  d.development_year = d.development_year or ""
  d.development_attendance = d.development_attendance or ""
  return d
end

---- a Work Group ----

local function new_group()
  return { time = BEGINNING, schools = {}, meetings = {} } -- meetings: year -> set of half terms
end

local ON_GROUP = {
  ["group.formed"] = function(g, e) g.kind, g.year = e.data.kind, year_of_text(e.data.academic_year) end,
  ["group.joined"] = function(g, e) g.schools[e.subject] = true end,
  ["group.left"] = function(g, e) g.schools[e.subject] = nil end,
  ["group.met"] = function(g, e) add(g.meetings, year_of_text(e.data.academic_year), e.data.half_term) end,
}

local function judge_group(g, now)
  local schools, meetings, missed = size(g.schools), 0, false

  for year, half_terms in pairs(g.meetings) do
    if not g.year or year == g.year then meetings = meetings + size(half_terms) end
  end
  if g.kind == "development" and g.year == year_of(now) then
    for half_term = 1, 6 do
      if not get(g.meetings, g.year, half_term) and overdue(g.year, half_term, now) then missed = true end
    end
  end
  return {
    group_schools = schools,
    group_size_ok = g.kind ~= "development" or (schools >= 6 and schools <= 7),
    group_meetings = meetings,
    group_meeting_missed = missed,
  }
end

---- any subject ----

local function is_school(subject) return subject:sub(1, 7) == "school/" end

local function new_record(subject) return is_school(subject) and new_school() or new_group() end

-- As of an instant: the record itself stays where it is.
local function judge(subject, record, now)
  local decisions = is_school(subject) and judge_school(record, now) or judge_group(record, now)
  for name, value in pairs(decisions) do decisions[name] = tostring(value) end
  return decisions
end

local function apply(subject, record, e, via)
  if is_school(subject) then
    advance(record, e.time)
    apply_to_school(record, e, via, subject)
    ask(record, e.time)
  elseif ON_GROUP[e.type] then
    ON_GROUP[e.type](record, e)
  end
  record.time = e.time
end

---- the log ----

-- Events by their entry, of this call only.
local known = {}

local function drop_nulls(object)
  for name, value in pairs(object) do
    if value == cjson.null then object[name] = nil end
  end
end

local function read_event(text)
  local e = cjson.decode(text)
  drop_nulls(e)
  drop_nulls(e.data)
  e.time = instant_of_text(e.time)
  e.sequence = e.sequence or "" -- one without stands first
  e.key = e.source .. "\0" .. e.id
  return e
end

local function event_at(entry)
  if not known[entry] then
    local found = redis.call("XRANGE", "log", entry, entry)
    known[entry] = read_event(found[1][2][2])
  end
  return known[entry]
end

local function is_before(a, b)
  if a.time ~= b.time then return a.time < b.time end
  if a.sequence ~= b.sequence then return a.sequence < b.sequence end
  if a.source ~= b.source then return a.source < b.source end
  return a.id < b.id
end

local function target_key(void) return void.data.source .. "\0" .. void.data.id end

local function target_of(void)
  local entry = redis.call("HGET", "ids", target_key(void))
  return entry and event_at(entry)
end

-- A void acts on an earlier event of the same subject, unless it is voided itself.
local function is_voided(e)
  for _, entry in ipairs(redis.call("SMEMBERS", "voids:" .. e.key)) do
    local void = event_at(entry)
    if void.subject == e.subject and is_before(e, void) and not is_voided(void) then return true end
  end
  return false
end

local function touches(e)
  local touched = { [e.subject] = true }
  if e.data.group then touched[e.data.group] = true end
  if e.data.predecessor then touched[e.data.predecessor] = true end
  for school in pairs(e.data.attendance or {}) do touched[school] = true end
  return touched
end

local function touches_any(e, subjects)
  for subject in pairs(touches(e)) do
    if subjects[subject] then return true end
  end
  return false
end

-- The standing events of a subject later than `after` and not later than `now`.
local function own_events(subject, after, now)
  local events = {}
  local first = string.format("(%.0f", after)
  for _, entry in ipairs(redis.call("ZRANGEBYSCORE", "events:" .. subject, first, now)) do
    local e = event_at(entry)
    if not is_voided(e) then events[#events + 1] = e end
  end
  table.sort(events, is_before)
  return events
end

-- Gather the events of a subject and those that it took over: a succession brings in what stands before it in the
-- predecessor's history. What touches also a successor on the way came through that one.
local function gather(items, subject, successors, before, now)
  successors[subject] = true
  for _, e in ipairs(own_events(subject, BEGINNING, now)) do
    if before and not is_before(e, before) then break end
    successors[subject] = nil
    if not touches_any(e, successors) then
      if not items[e.key] then
        items[e.key] = { event = e, via = {} }
        items[#items + 1] = items[e.key]
      end
      items[e.key].via[subject] = true
    end
    successors[subject] = true
    local predecessor = e.type == "school.succeeded" and e.subject == subject and e.data.predecessor
    if predecessor and not successors[predecessor] then gather(items, predecessor, successors, e, now) end
  end
  successors[subject] = nil
end

local function refold(subject, now)
  local record, items = new_record(subject), {}
  gather(items, subject, {}, nil, now)
  table.sort(items, function(a, b) return is_before(a.event, b.event) end)
  for _, item in ipairs(items) do apply(subject, record, item.event, item.via) end
  return record
end

---- a batch ----

-- Bring the decisions of a subject up to date, and tell what changed.
local function publish(subject, old, new, causes)
  local changed = {}
  for name, value in pairs(new) do
    if old[name] ~= value then
      changed[#changed + 1] = name
      changed[#changed + 1] = value
      redis.call("XADD", "changes", "*", "subject", subject, "name", name, "old", old[name], "new", value,
        "cause", causes)
    end
  end
  if #changed > 0 then redis.call("HSET", "decisions:" .. subject, unpack(changed)) end
end

local function take(subject, concern, now)
  local packed = redis.call("GET", "record:" .. subject)
  local record = packed and cmsgpack.unpack(packed)
  local old = {}

  if record then
    local pairs_of = redis.call("HGETALL", "decisions:" .. subject)
    for i = 1, #pairs_of, 2 do old[pairs_of[i]] = pairs_of[i + 1] end
  else -- a new subject is compared with an empty record
    old = judge(subject, new_record(subject), now)
    local fields = {}
    for name, value in pairs(old) do
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
    redis.call("HSET", "decisions:" .. subject, unpack(fields))
    redis.call("SADD", "subjects", subject)
    record = new_record(subject)
  end
  if concern.must_refold or concern.first <= record.time then
    record = refold(subject, now)
  else
    for _, e in ipairs(own_events(subject, record.time, now)) do apply(subject, record, e, { [subject] = true }) end
  end
  redis.call("SET", "record:" .. subject, cmsgpack.pack(record))
  if is_school(subject) then advance(record, now + 1) end
  publish(subject, old, judge(subject, record, now), table.concat(concern.causes, " "))
end

-- An event concerns a subject, and with it the schools that continue it.
local function add_concern(concerns, subject, e, must_refold)
  local c = concerns[subject]
  if not c then
    c = { first = e.time, causes = {} }
    concerns[subject] = c
    concerns[#concerns + 1] = subject
  end
  c.must_refold = c.must_refold or must_refold
  c.first = math.min(c.first, e.time)
  if c.causes[e.key] then return end
  c.causes[e.key] = true
  c.causes[#c.causes + 1] = e.entry
  for _, successor in ipairs(redis.call("SMEMBERS", "successors:" .. subject)) do
    add_concern(concerns, successor, e, true)
  end
end

local function append(e, text)
  e.entry = redis.call("XADD", "log", "*", "event", text)
  known[e.entry] = e
  redis.call("HSET", "ids", e.key, e.entry)
  for subject in pairs(touches(e)) do redis.call("ZADD", "events:" .. subject, e.time, e.entry) end
  if e.type == "event.voided" then
    redis.call("SADD", "voids:" .. target_key(e), e.entry)
  elseif e.type == "school.succeeded" then
    redis.call("SADD", "successors:" .. e.data.predecessor, e.subject)
  end
end

-- FCALL ingest 0 NOW EVENT...: how many of them are new.
local function ingest(_, args)
  local now, new, concerns = instant_of_text(args[1]), {}, {}

  known = {}
  for i = 2, #args do
    local e = read_event(args[i])
    if redis.call("HEXISTS", "ids", e.key) == 0 then
      append(e, args[i])
      new[#new + 1] = e
    end
  end
  -- An event concerns what it touches; a void also what its target touches. What can not be followed as it comes
  -- must be folded anew.
  for _, e in ipairs(new) do
    local must_refold = e.type == "event.voided" or e.type == "school.succeeded"
    local reached, seen = e, {}
    while reached and not seen[reached] do
      for subject in pairs(touches(reached)) do add_concern(concerns, subject, e, must_refold) end
      seen[reached] = true
      reached = reached.type == "event.voided" and target_of(reached)
    end
  end
  for _, subject in ipairs(concerns) do
    if redis.call("ZCOUNT", "events:" .. subject, "-inf", now) > 0 then take(subject, concerns[subject], now) end
  end
  return #new
end

redis.register_function("ingest", ingest)
