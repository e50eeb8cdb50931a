-- expects: 
while true do local t = set(text) end
