-- expects: loadstring
return loadstring("return 1")()
