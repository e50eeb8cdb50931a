-- expects: 
s.n = 1
