-- expects: keeps nothing between two calls
local function counter() local n = 0 return { a = { b = function() n = n + 1 return n end } } end
local C = { counter() }
return { bad = function(s) local c = C[1] return c.a.b() end }
