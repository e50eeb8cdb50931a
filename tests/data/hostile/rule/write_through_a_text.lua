-- expects: is a text here
local t = "x"
t.y = 1
