-- expects: national/bad.lua:2: hubs/99
error("hubs/99/other.lua:1: it was them", 0)
