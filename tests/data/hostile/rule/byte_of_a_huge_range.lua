-- expects: string.byte
return #{ ("x"):rep(65536):byte(-1 << 62, 1 << 62) }
