-- expects: can not be changed by a function
local DEEP = { a = { n = 0 } }
return { bad = function(s) for _, t in pairs(DEEP) do t.n = t.n + 1 end return DEEP.a.n end }
