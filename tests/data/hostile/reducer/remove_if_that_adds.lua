-- expects: 
s.l:add("a")
s.l:remove_if(function() s.l:add("b") return false end)
error("done")
