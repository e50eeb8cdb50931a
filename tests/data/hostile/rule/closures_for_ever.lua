-- expects: million steps; is there a loop
while true do local f = function() return s end end
