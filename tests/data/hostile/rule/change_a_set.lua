-- expects: only by reducers
s.x:add("a")
