-- expects: stopped
local keep = {}
for i = 1, 88 do keep[i] = ("x"):rep(65536):rep(1) .. ("y"):rep(65536) .. i .. ("z"):rep(65536 * 8 // 8) end
while true do local t = {} for i = 1, 20000 do t[i] = {} end end
