--- Instants, days and academic years for floor_rules.lua, each found once and then looked up.
-- England's clocks by the rule in force since 1996: summer time from 1:00 UTC on the last Sunday of March
-- to the last Sunday of October.
local DAY, HOUR = 86400 * 1000000, 3600 * 1000000
local HALF_TERMS = { [0] = "-09-01", "-11-01", "-01-04", "-02-22", "-04-15", "-06-03" }

-- Days since 1970 of a day of the Gregorian calendar.
local function days_from(y, m, d)
  if m <= 2 then y = y - 1 end
  local era, yoe = y // 400, y % 400
  local doy = (153 * ((m + 9) % 12) + 2) // 5 + d - 1
  return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468
end

local function text_of(day)
  day = day + 719468
  local era, doe = day // 146097, day % 146097
  local yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
  local doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
  local mp = (5 * doy + 2) // 153
  local m = mp < 10 and mp + 3 or mp - 9
  local y = yoe + era * 400 + (m <= 2 and 1 or 0)
  return ("%04d-%02d-%02d"):format(y, m, doy - (153 * mp + 2) // 5 + 1), y
end

local function day_number(text)
  return days_from(tonumber(text:sub(1, 4)), tonumber(text:sub(6, 7)), tonumber(text:sub(9, 10)))
end

-- What `find` gives for a key, remembered.
local function remembered(find)
  return setmetatable({}, { __index = function(t, key)
    local value = find(key)
    t[key] = value
    return value
  end })
end

local function last_sunday(y, m)
  local last = days_from(y, m, 31)
  return last - (last + 4) % 7
end

local summer = remembered(function(y)
  return { last_sunday(y, 3) * DAY + HOUR, last_sunday(y, 10) * DAY + HOUR }
end)

local function offset(t)
  local _, y = text_of(t // DAY)
  local s = summer[y]
  return t >= s[1] and t < s[2] and HOUR or 0
end

local function instant_of(wall)
  local before, after = offset(wall - DAY), offset(wall + DAY)
  if before ~= after and offset(wall - before) ~= before and offset(wall - after) == after then
    return wall - after
  end
  return wall - before
end

local midnights = remembered(function(text) return instant_of(day_number(text) * DAY) end)
local starts = remembered(function(year) return midnights[year:sub(1, 4) .. "-09-01"] end)
local ends = remembered(function(year) return midnights[tonumber(year:sub(1, 4)) + 1 .. "-09-01"] end)
local day_texts = remembered(function(t) return (text_of((t + offset(t)) // DAY)) end)

local calendar
local half_term_ends = remembered(function(year)
  local found, first = {}, tonumber(year:sub(1, 4))
  for n = 1, 5 do
    local day = calendar[year] and calendar[year][n + 1] or (n < 2 and first or first + 1) .. HALF_TERMS[n]
    found[n] = midnights[day]
  end
  found[6] = ends[year]
  return found
end)

-- days(n): added to an instant, the same time of day n days later in England.
local DAYS = {}
local spans = remembered(function(n)
  local later = remembered(function(t) return instant_of(t + offset(t) + n * DAY) end)
  local earlier = remembered(function(t) return instant_of(t + offset(t) - n * DAY) end)
  return setmetatable({ later = later, earlier = earlier }, DAYS)
end)
function DAYS.__add(a, b)
  if type(a) == "table" then a, b = b, a end
  return b.later[a]
end
function DAYS.__sub(a, b) return b.earlier[a] end

local words = {
  year_start = function(year) return starts[year] end,
  year_end = function(year) return ends[year] end,
  midnight = function(day) return midnights[day] end,
  days = function(n) return spans[n] end,
  day_of = function(t) return day_texts[t] end,
  half_term_end = function(year, n) return half_term_ends[year][n] end,
  term_end = function(year, n) return half_term_ends[year][2 * n] end,
}
local years = remembered(function(t)
  local day = day_texts[t]
  local y = tonumber(day:sub(1, 4)) - (day:sub(6, 7) < "09" and 1 or 0)
  return ("%04d/%02d"):format(y, (y + 1) % 100)
end)
function words.year_of(t) return years[t] end

return {
  words = words,
  next_day = function(day) return (text_of(day_number(day) + 1)) end,
  use_calendar = function(c) calendar = c end,
}
