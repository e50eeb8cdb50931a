-- expects: stopped
local t = ("x"):rep(65536)
while true do t:sub(2) end
