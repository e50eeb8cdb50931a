-- expects: gave a table
return {}
