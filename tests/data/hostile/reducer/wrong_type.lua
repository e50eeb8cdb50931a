-- expects: n
s.n = "text"
