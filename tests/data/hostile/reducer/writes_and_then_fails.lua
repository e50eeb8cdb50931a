-- expects: no
s.n = 7
s.x:add("half")
error("no")
