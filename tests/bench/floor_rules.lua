--- The floor of judging: the functions of a pack on plain tables, with a plain memo, nothing noted.
-- Arguments: the pack's folder, its files' names separated by commas, a Lua file of records, now in
-- microseconds, how many times, the file for the decisions as `pathway export` writes them.
-- Prints {"schools":N,"seconds":[...]}.
local folder, files, records_file, now, times, out_file = ...
now, times = math.tointeger(tonumber(now)), tonumber(times)
local here = debug.getinfo(1, "S").source:match("^@(.*)[^/]*%.lua$"):match("^(.*/)") or "./"
local time = dofile(here .. "floor_time.lua")

---- facts, as plain tables of the shape that the pack declares ----

local SET, LIST = {}, {}
SET.__index = SET
function SET:has(value)
  for i = 1, #self do
    if self[i] == value then return true end
  end
  return false
end

-- Inner containers that are not there read as empty ones.
local function map_meta(of)
  if not of.empty then return nil end
  return { __index = function() return of.empty end }
end

local function scalar(kind) return setmetatable({ kind = kind }, { __call = function(self) return self end }) end
local function container(kind, key, of)
  local t = { kind = kind, key = key, of = of, meta = kind == "map" and map_meta(of) or nil }
  t.empty = setmetatable({}, kind == "set" and SET or kind == "list" and LIST or t.meta)
  return t
end

local function shaped(value, type)
  if type.kind == "set" then return setmetatable(value, SET) end
  if type.kind == "list" then return setmetatable(value, LIST) end
  if type.kind ~= "map" then return value end
  local map = {}
  for key, inner in pairs(value) do
    map[type.key.kind == "int" and math.tointeger(tonumber(key)) or key] = shaped(inner, type.of)
  end
  return setmetatable(map, type.meta)
end

local function nothing() end

-- for v in each(set or list) do; for k, v in each(map) do
local function each(values)
  local meta = getmetatable(values)
  if meta ~= SET and meta ~= LIST then return next, values end
  if values[1] == nil then return nothing end
  local i = 0
  return function()
    i = i + 1
    return values[i]
  end
end

---- the words of the pack language ----

local env = setmetatable({ each = each }, { __index = _G })
for name, fn in pairs(time.words) do env[name] = fn end
for _, word in ipairs { "rule", "criterion", "alert", "all_of", "any_of", "unless", "shown", "first_of" } do
  env[word] = function(t)
    t["@word"] = word
    return t
  end
end
for _, word in ipairs { "at_least", "at_most", "equal_to", "once", "gather" } do
  env[word] = function(value) return { ["@word"] = word, value } end
end
for _, kind in ipairs { "text", "bool", "number", "time", "date", "year", "person", "note", "school", "group", "hub", "int" } do
  env[kind] = scalar(kind)
end
function env.enum() return scalar "enum" end
function env.optional(type) return type end
function env.row() return { kind = "row" } end
function env.set(of) return container("set", nil, of) end
function env.list(of) return container("list", nil, of) end
local function type_of(t) return t.kind and t or { kind = "enum" } end -- a list of texts is an enum
function env.map(key, of) return container("map", type_of(key), type_of(of)) end
function env.initially(value) return { kind = "initial", initial = value } end

local loaded, facts, params, rules = {}, {}, {}, {}
local function load_file(name)
  loaded[name] = loaded[name] or assert(loadfile(folder .. "/" .. name .. ".lua", "t", env))()
  return loaded[name]
end
env.import = load_file
function env.pack(t)
  for name, type in pairs(t.facts and t.facts.school or {}) do facts[name] = type end
  for name, value in pairs(t.params or {}) do params[name] = value end
  if t.calendar then time.use_calendar(t.calendar) end
  for _, of in pairs { t.rules or {}, t.alerts or {} } do
    for name, rule in pairs(of) do
      if rule.of ~= "group" then rules[name] = rule end
    end
  end
  return t
end
for name in files:gmatch "[^,]+" do load_file(name) end

-- The value in force now of a parameter { 2, from = { ["2027-09-01"] = 3 } }; it may also tell which way is stricter.
for name, value in pairs(params) do
  if type(value) == "table" then
    local best, since = value[1], nil
    for day, later in pairs(value.from or {}) do
      if time.words.midnight(day) <= now and (not since or day > since) then best, since = later, day end
    end
    params[name] = best
  end
end

---- one school at one moment: its facts, then rules, each run at most once ----

local names, index = {}, {}
for name in pairs(rules) do names[#names + 1] = name end
table.sort(names)
for i, name in ipairs(names) do index[name] = i end

local epoch, memo_epoch, memo_value, evaluate = 0, {}, {}, {}
local current

local function rule_value(i)
  if memo_epoch[i] == epoch then return memo_value[i] end
  local value = evaluate[i](current)
  memo_epoch[i], memo_value[i] = epoch, value
  return value
end

local Record = { param = params }
function Record:reached(t) return now >= t end
function Record:in_year(year) return now >= time.words.year_start(year) and now < time.words.year_end(year) end
function Record:current_year() return time.words.year_of(now) end
function Record:since() return self["@since"] end
for name, type in pairs(facts) do
  Record[name] = type.empty or type.initial
  if type.kind == "bool" then Record[name] = false end
end
Record.waivers = {}
setmetatable(Record, {
  __index = function(_, name)
    local i = index[name]
    if i and not facts[name] then return rule_value(i) end
  end,
})
local META = { __index = Record }

local NEEDS = {
  at_least = function(value, needed) return value >= needed end,
  at_most = function(value, needed) return value <= needed end,
  equal_to = function(value, needed) return value == needed end,
}

local function of_function(rule, is_yes_or_no)
  local fn, needs = nil, rule.needs
  for _, part in ipairs(rule) do
    if type(part) == "function" then fn = part end
  end
  if needs then
    local test, needed = NEEDS[needs["@word"]], needs[1]
    if params[needed] ~= nil then needed = params[needed] end
    return function(s)
      local value = fn(s)
      return value ~= nil and test(value, needed)
    end
  end
  return is_yes_or_no and function(s) return fn(s) and true or false end or fn
end

-- Every criterion is evaluated, also when the answer is known after the first.
local function of_criteria(rule)
  local criteria, word = {}, rule["@word"]
  for i = 2, #rule do criteria[#criteria + 1] = assert(index[rule[i]], rule[i]) end
  return function()
    local met = 0
    for i = 1, #criteria do
      if rule_value(criteria[i]) then met = met + 1 end
    end
    if word == "all_of" then return met == #criteria end
    return (met > 0) == (word == "any_of")
  end
end

local function waivable(name, fn)
  return function(s)
    local value = fn(s)
    for _, waiver in ipairs(s.waivers) do
      if waiver.rule == name then
        local last = waiver.last_day
        if not last or now < time.words.midnight(time.next_day(last)) then return true end
      end
    end
    return value
  end
end

local decisions = {}
for i, name in ipairs(names) do
  local rule = rules[name]
  local word = rule["@word"]
  local is_criterion = word == "criterion" or rule.criterion
  local fn
  if word == "shown" then
    fn = function(s) return s[name] end
  elseif word == "rule" or word == "criterion" or word == "alert" then
    fn = of_function(rule, word ~= "rule" or rule.waivable)
  else
    fn = of_criteria(rule)
  end
  evaluate[i] = rule.waivable and waivable(name, fn) or fn
  if not is_criterion then decisions[#decisions + 1] = i end
end

---- the records, the clock, the decisions ----

local records = {}
assert(loadfile(records_file, "t", {
  record = function(r)
    local plain = { subject = r.subject, ["@since"] = r.phase_since and time.words.midnight(r.phase_since), waivers = r.facts.waivers }
    for name, value in pairs(r.facts) do
      if name ~= "waivers" then plain[name] = shaped(value, facts[name]) end
    end
    records[#records + 1] = setmetatable(plain, META)
  end,
}))()

local function judge_all()
  local began, count = clock_us(), #decisions
  for i = 1, #records do
    current, epoch = records[i], epoch + 1
    for d = 1, count do rule_value(decisions[d]) end
  end
  return (clock_us() - began) / 1e6
end

local took = {}
for i = 1, times do took[i] = ("%.6f"):format(judge_all()) end
print(('{"schools":%d,"seconds":[%s]}'):format(#records, table.concat(took, ",")))

local function shown(value)
  if value == nil then return "" end
  local text = tostring(value)
  return text:find '[,"\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

local out = assert(io.open(out_file, "w"))
for i = 1, #records do
  current, epoch = records[i], epoch + 1
  for _, d in ipairs(decisions) do
    out:write(current.subject, ",", names[d], ",", shown(rule_value(d)), "\n")
  end
end
out:close()
