-- expects: getmetatable
local SEEN = { n = 1 }
return { bad = function(s) return getmetatable(SEEN).frozen.n end }
