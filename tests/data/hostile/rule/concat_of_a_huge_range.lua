-- expects: table.concat
return table.concat({}, "", 1, 1 << 50)
