-- expects: 
for k in pairs(s) do end
