-- expects: 
return set(text)
