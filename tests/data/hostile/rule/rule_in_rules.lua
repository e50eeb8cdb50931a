-- expects: 
return rule { "x" }
