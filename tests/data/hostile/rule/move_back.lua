-- expects: move
table.move({}, -1 << 50, 1, 2)
