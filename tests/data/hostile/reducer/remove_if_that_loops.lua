-- expects: million steps; is there a loop
s.l:add("a")
s.l:remove_if(function() while true do end end)
