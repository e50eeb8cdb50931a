-- expects: require
return require("os")
