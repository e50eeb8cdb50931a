-- expects: million steps; is there a loop
local function f() return f() end
f()
