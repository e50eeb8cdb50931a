-- expects: 
assert(false, {})
