-- expects: million steps
local t = ("x"):rep(200)
while true do t:byte(1, -1) end
