-- expects: no
error("no")
