-- expects: can not be changed by a function
local WORDS = { "a", "b" }
return { bad = function(s) table.remove(WORDS) return #WORDS end }
