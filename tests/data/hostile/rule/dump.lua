-- expects: dump
return string.dump(function() end)
