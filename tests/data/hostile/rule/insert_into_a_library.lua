-- expects: can not be changed
table.insert(string, 1)
