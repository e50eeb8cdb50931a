-- expects: invalid conversion
return string.format("%9999d", 1)
