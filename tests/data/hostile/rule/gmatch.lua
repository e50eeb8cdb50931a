-- expects: gmatch
for w in ("a b"):gmatch("%a+") do return w end
