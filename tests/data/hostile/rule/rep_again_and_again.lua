-- expects: million steps; is there a loop
while true do local x = ("x"):rep(65536) end
