-- expects: outside of the list
table.insert({}, 1 << 50, 1)
