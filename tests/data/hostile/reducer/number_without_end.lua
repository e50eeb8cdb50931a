-- expects: 
s.n = 1 << 60
