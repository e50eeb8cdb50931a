-- expects: import
local x = import("bad")
return {}
