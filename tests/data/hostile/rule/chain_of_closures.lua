-- expects: stopped: out of memory
local f = tostring
while true do local g = f f = function() return g end end
