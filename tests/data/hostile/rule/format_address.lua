-- expects: address
return string.format("%p", {})
