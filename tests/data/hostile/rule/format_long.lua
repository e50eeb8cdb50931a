-- expects: string.format
return string.format(("%%"):rep(30000))
