-- expects: million steps; is there a loop
while true do for i in ipairs({ 1, 2, 3 }) do end end
