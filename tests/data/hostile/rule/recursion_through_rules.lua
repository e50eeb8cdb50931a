-- expects: reads itself
return s.bad
