-- expects: leak
leak = 1
return {}
