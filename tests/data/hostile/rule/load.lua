-- expects: load
return load("return 1")()
