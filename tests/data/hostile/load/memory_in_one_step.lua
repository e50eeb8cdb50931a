-- expects: stopped: it made a text longer than
local s = ("x"):rep(65536)
while true do s = s .. s end
