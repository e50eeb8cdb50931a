-- expects: random
return math.random()
