-- expects: xxxx
error(("x"):rep(60000))
