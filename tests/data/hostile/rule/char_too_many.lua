-- expects: million steps
local function f(...) return string.char(...) end
local t = {}
for i = 1, 240 do t[i] = 65 end
while true do f(table.unpack(t)) end
