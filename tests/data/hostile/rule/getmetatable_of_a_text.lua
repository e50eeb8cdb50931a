-- expects: getmetatable
return getmetatable("").__index
