-- expects: stopped
local i = 0
while true do i = i + 1 s.m[i] = "x" end
