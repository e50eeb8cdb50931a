-- expects: only numbers and texts
for k in pairs({ [{}] = 1, [{ 1 }] = 2 }) do end
