-- expects: no
table.sort({ 2, 1 }, function() error("no") end)
