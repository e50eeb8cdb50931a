-- expects: rawset
rawset(string, "x", 1)
