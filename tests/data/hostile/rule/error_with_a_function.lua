-- expects: instead of a message
error(function() while true do end end)
