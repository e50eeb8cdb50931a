-- expects: stopped
local i = 100000000000
while true do i = i - 1 s.y:add(i) end
