-- expects: 
local t = text
for i = 1, 100000 do t = optional(t) end
return { t = t }
