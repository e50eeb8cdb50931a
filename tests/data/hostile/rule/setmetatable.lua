-- expects: setmetatable
return setmetatable({}, { __gc = function() while true do end end })
