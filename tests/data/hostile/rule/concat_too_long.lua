-- expects: stopped: it made a text longer than
local t = {}
for i = 1, 20 do t[i] = ("x"):rep(60000) end
return table.concat(t)
