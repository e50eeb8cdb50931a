-- expects: table.unpack
return #{ table.unpack({}, 1, 1e8) }
