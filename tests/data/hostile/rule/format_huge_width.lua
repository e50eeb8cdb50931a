-- expects: is unknown
return string.format("%9999d", 1)
