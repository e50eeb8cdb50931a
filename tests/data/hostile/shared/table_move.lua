-- expects: move
local SEEN = { 1, 2 }
return { bad = function(s) table.move({ 3, 4 }, 1, 2, 1, SEEN) return SEEN[1] end }
