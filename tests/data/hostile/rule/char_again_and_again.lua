-- expects: million steps; is there a loop
while true do string.char(1, 2, 3) end
