-- expects: national/bad.lua:2: hubs/99
assert(false, "hubs/99/other.lua:1: it was them")
