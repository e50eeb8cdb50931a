-- expects: out of bounds
table.insert({}, 1 << 50, 1)
