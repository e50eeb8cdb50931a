-- expects: keeps nothing between two calls
local SEEN = { n = 0 }
local function with(t) return function() t.n = t.n + 1 return t.n end end
local bump = with(SEEN)
return { bad = function(s) return bump() end }
