-- expects: 
return ("a"):rep(60000):find((".-"):rep(30) .. "b") and 1
