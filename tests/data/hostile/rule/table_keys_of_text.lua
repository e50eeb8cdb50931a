-- expects: stopped
local t = {}
for i = 1, 1e9 do t[("k"):rep(50) .. i] = true end
