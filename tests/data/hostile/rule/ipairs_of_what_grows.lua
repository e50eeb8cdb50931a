-- expects: stopped: out of memory
local t = { 1 }
for i in ipairs(t) do t[i + 1] = i end
