-- expects: can not be changed by a function
local SEEN = { n = 0 }
local function put(t) t.n = t.n + 1 end
return { bad = function(s) put(SEEN) return SEEN.n end }
