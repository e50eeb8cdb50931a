-- expects: string.find
return ("a"):rep(65536):find(("a"):rep(30000) .. "b")
