-- expects: instead of a message
error()
