-- expects: move
table.move({ 1 }, 1, 1, math.maxinteger)
