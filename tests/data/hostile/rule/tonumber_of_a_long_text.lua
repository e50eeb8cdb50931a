-- expects: tonumber
local t = (" "):rep(65536)
while true do tonumber(t) end
