-- expects: 
return 0 / 0
