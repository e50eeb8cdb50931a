-- expects: 
return s.x.has({}, "a")
