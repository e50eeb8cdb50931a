-- expects: million steps; is there a loop
local function f(...) return select("#", ...) end
while true do f(1, 2, 3) end
