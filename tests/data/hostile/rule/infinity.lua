-- expects: 
return math.huge
