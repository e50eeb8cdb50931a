-- expects: million steps; is there a loop
while true do math.sqrt(2) end
