-- expects: keeps nothing between two calls
local function counter() local n = 0 return function() n = n + 1 return n end end
local count = counter()
return { bad = function(s) return count() end }
