-- expects: more than
local facts = {}
for i = 1, 5000 do facts["f" .. i] = text end
return pack { name = "x", facts = { school = facts } }
