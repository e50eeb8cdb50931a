-- expects: out of bounds
table.remove({}, 1 << 50)
