-- expects: nothing
s.nothing = 1
