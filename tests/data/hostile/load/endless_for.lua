-- expects: million steps; is there a loop
for i = 1, math.huge do end
