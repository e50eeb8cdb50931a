-- expects: 
return e.data.nothing
