-- expects: tonumber
local t = ("1"):rep(65536)
while true do tonumber(t, 2) end
