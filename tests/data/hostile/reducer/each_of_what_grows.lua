-- expects: 
s.x:add("a")
for v in each(s.x) do for i = 1, 1e9 do s.x:add(v .. i) end end
