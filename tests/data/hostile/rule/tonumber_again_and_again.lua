-- expects: million steps; is there a loop
while true do tonumber("0x10") end
