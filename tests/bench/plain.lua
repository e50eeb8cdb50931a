-- plain.lua - a pack's rules over plain tables: what the same functions cost where nothing is tracked, checked
-- or typed. For rules.c, which gives it the pack's files, its environment, and facts as tables.
local files, time = ...
local env, modules, rules, params = {}, {}, {}, {}

for name, value in next, time do env[name] = value end
env.pairs = pairs
for _, word in ipairs { "enum", "set", "list", "map", "row", "optional", "initially", "int", "text", "bool", "number",
  "date", "year", "person", "note", "school", "group", "hub", "once", "gather", "first_of" } do
  env[word] = function() return {} end
end
for _, form in ipairs { "rule", "criterion", "alert", "all_of", "any_of", "unless", "shown" } do
  env[form] = function(t) t.form = form return t end
end
for _, need in ipairs { "at_least", "at_most", "equal_to" } do
  env[need] = function(value) return { need = need, value = value } end
end
env.time = {}
env.import = function(name) return modules[name] end
env.pack = function(t)
  for name, rule in pairs(t.rules or {}) do rules[name] = rule end
  for name, rule in pairs(t.alerts or {}) do rules[name] = rule end
  for name, value in pairs(t.params or {}) do params[name] = value end
  return t
end

local Set = { __index = { has = function(set, value) return set.there[value] == true end } }
local EMPTY = setmetatable({ there = {} }, Set)
local Map = { __index = function() return EMPTY end }

env.each = function(t)
  if getmetatable(t) == Map or t.is_map then return next, t.map or t end
  local i = 0
  return function() i = i + 1 return t[i] end
end

for _, file in ipairs(files) do
  modules[file[1]] = assert(load(file[2], "@" .. file[1], "t", env))()
end

-- One function for each rule of a school, which gives its value.
local evaluators, names = {}, {}
for name, rule in pairs(rules) do
  local fn, need = nil, rule.needs
  for _, entry in ipairs(rule) do if type(entry) == "function" then fn = entry end end
  local needed = need and (params[need.value] or need.value)
  if rule.of == "group" then
    fn = nil
  elseif rule.form == "shown" then
    fn = function(s) return s[name] end
  elseif rule.form == "all_of" or rule.form == "any_of" or rule.form == "unless" then
    local all = rule.form == "all_of"
    fn = function(s)
      local met = 0
      for i = 2, #rule do if s[rule[i]] then met = met + 1 end end
      if all then return met == #rule - 1 end
      return (met > 0) == (rule.form == "any_of")
    end
  elseif need then
    local value = fn
    fn = function(s)
      local v = value(s)
      if need.need == "at_least" then return v >= needed elseif need.need == "at_most" then return v <= needed end
      return v == needed
    end
  end
  if fn and rule.form ~= "shown" then
    evaluators[name] = fn
    names[#names + 1] = name
  end
end

local School = { param = params }
function School.reached(s, t) return s.now >= t end
function School.in_year(s, y) return s.now >= time.year_start(y) and s.now < time.year_end(y) end
function School.current_year(s) return time.year_of(s.now) end
function School.since() return nil end

local View = {
  __index = function(s, name)
    local value = School[name]
    if value ~= nil then return value end
    local fn = evaluators[name]
    if not fn then return nil end
    value = fn(s)
    s[name] = value
    return value
  end,
}

-- A function that judges all of a school with these facts, and how many rules that are.
return function(facts, now)
  for name, fact in pairs(facts) do
    if type(fact) == "table" and fact.there then
      setmetatable(fact, Set)
    elseif type(fact) == "table" and fact.is_map then
      setmetatable(fact, Map)
      fact.is_map = nil
      for _, inner in pairs(fact) do
        if type(inner) == "table" and inner.there then setmetatable(inner, Set) end
        if type(inner) == "table" and inner.is_map then inner.is_map = nil setmetatable(inner, { __index = nil, __name = "map" }) end
      end
    end
  end
  local s = setmetatable(facts, View)
  s.now = now
  return function()
    for i = 1, #names do s[names[i]] = nil end
    for i = 1, #names do
      local _ = s[names[i]]
    end
  end, #names
end
