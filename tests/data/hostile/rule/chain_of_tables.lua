-- expects: stopped: out of memory
local t
while true do t = { t } end
