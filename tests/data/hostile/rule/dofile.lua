-- expects: dofile
dofile("/etc/passwd")
