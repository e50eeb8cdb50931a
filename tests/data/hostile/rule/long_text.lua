-- expects: gave a text of
return ("x"):rep(60000)
