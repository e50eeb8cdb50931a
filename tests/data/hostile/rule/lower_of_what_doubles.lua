-- expects: stopped: it made a text longer than
local t = ("X"):rep(65536)
while true do t = (t .. t):lower() end
