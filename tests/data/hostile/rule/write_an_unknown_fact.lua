-- expects: 
s["no" .. "thing"] = 1
