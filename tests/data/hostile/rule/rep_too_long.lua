-- expects: string.rep
return ("x"):rep(65537)
