-- expects: debug
return debug.getinfo(1)
