-- expects: setmetatable
local SEEN = {}
return { bad = function(s) setmetatable(SEEN, { __index = SEEN }) return 1 end }
