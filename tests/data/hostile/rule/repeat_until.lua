-- expects: million steps; is there a loop
repeat local x = 1 until false
