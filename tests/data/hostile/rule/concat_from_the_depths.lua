-- expects: table.concat
return table.concat({}, "", math.mininteger, math.maxinteger)
