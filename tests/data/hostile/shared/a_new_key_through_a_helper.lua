-- expects: can not be changed by a function
local SEEN = {}
local function put(t, k) t[k] = true end
return { bad = function(s) put(SEEN, s.subject) return 1 end }
