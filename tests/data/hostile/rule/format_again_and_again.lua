-- expects: million steps; is there a loop
while true do local x = ("%d %s"):format(1, "x") end
