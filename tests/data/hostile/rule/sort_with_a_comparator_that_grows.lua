-- expects: stopped: out of memory
local t, keep = { 3, 2, 1 }, {}
table.sort(t, function() while true do keep[#keep + 1] = {} end end)
