-- expects: char
return string.char(-1)
