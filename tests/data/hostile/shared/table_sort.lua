-- expects: can not be changed by a function
local WORDS = { "b", "a" }
return { bad = function(s) table.sort(WORDS) return WORDS[1] end }
