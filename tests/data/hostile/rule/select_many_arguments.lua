-- expects: million steps
local t = {}
for i = 1, 250 do t[i] = i end
local function f(...) while true do select(200, ...) end end
f(table.unpack(t))
