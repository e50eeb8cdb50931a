-- expects: outside of the list
table.remove({}, 1 << 50)
