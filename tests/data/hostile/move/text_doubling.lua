-- expects: stopped: it made a text longer than
local t = ("x"):rep(65536)
while true do t = t .. t end
