-- expects: can not be changed by a function
local SEEN = { "a" }
return { bad = function(s) table.insert(SEEN, "b") return #SEEN end }
