-- expects: million steps; is there a loop
while true do tostring(1.5) end
