-- expects: stopped
while true do s.l:add("x") end
