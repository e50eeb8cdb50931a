-- expects: million steps; is there a loop
local t = {}
while true do table.remove(t) end
