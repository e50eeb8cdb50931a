-- expects: 
return pack { name = "x" }
