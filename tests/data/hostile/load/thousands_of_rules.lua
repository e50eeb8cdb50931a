-- expects: more than
local rules = {}
for i = 1, 20000 do rules["r" .. i] = rule { "R", source = "s", function(s) return 1 end } end
return pack { name = "x", rules = rules }
