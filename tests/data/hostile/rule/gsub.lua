-- expects: gsub
return (("a"):rep(100):gsub("a", "b"))
