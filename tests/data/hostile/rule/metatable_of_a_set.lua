-- expects: getmetatable
return getmetatable(s.x)
