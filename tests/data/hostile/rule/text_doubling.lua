-- expects: stopped: it made a text longer than
local x = ("x"):rep(1024)
while true do x = x .. x end
