-- expects: pack
return string.pack("i", 1)
