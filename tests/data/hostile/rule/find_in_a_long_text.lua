-- expects: string.find
local t = ("a"):rep(65536)
return (t .. t):find("b")
