-- expects: stopped
local i = 0
while true do i = i + 1 s.x:add("text " .. i) end
