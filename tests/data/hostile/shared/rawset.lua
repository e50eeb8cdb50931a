-- expects: rawset
local SEEN = {}
return { bad = function(s) rawset(SEEN, 1, true) return 1 end }
