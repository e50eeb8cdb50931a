-- expects: 
local t = "x"
while true do t = t .. t s.t = t end
