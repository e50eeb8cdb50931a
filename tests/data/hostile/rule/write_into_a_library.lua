-- expects: can not be changed
string.x = 1
