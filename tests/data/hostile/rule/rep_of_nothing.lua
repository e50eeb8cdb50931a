-- expects: string.rep
return (""):rep(1 << 40)
