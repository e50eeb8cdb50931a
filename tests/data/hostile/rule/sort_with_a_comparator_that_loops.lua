-- expects: million steps; is there a loop
table.sort({ 2, 1 }, function() while true do end end)
