-- expects: million steps; is there a loop
s.n = 7
s.x:add("half")
while true do end
