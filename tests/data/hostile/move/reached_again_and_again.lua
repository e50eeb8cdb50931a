-- expects: million steps; is there a loop
while true do s:reached(1) end
