-- expects: million steps; is there a loop
while true do clear(s.x) end
