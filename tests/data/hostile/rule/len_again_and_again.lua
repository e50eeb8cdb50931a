-- expects: million steps; is there a loop
local t = ("x"):rep(65536)
while true do t:len() end
