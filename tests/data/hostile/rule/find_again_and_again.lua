-- expects: million steps; is there a loop
local t, w = ("a"):rep(65536), ("a"):rep(200) .. "b"
while true do t:find(w) end
