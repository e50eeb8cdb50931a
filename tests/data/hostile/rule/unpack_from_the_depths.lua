-- expects: table.unpack
return #{ table.unpack({}, math.mininteger, math.maxinteger) }
