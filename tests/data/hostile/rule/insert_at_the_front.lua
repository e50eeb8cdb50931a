-- expects: million steps; is there a loop
local t = {}
while true do table.insert(t, 1, 1) end
