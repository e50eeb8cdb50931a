-- expects: can not be changed by a function
local DEEP = { a = { b = { n = 0 } } }
local function inner(t) return t.a.b end
return { bad = function(s) local t = inner(DEEP) t.n = t.n + 1 return t.n end }
