-- expects: randomseed
math.randomseed(1)
