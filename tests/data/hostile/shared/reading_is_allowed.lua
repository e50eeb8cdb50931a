-- expects: 3 a,b yes 6 b
local WORDS, N = { "a", "b", "c" }, { x = 1, y = 2, z = 3 }
local DEEP = { list = { "b" } }
return { bad = function(s)
  local sum, has = 0, "no"
  for _, n in pairs(N) do sum = sum + n end
  for _, w in ipairs(WORDS) do if w == "c" then has = "yes" end end
  return #WORDS .. " " .. table.concat(WORDS, ",", 1, 2) .. " " .. has .. " " .. sum .. " " .. table.unpack(DEEP.list)
end }
