-- expects: match
return ("a"):match(".*")
