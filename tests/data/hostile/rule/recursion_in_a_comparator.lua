-- expects: 
local function sort()
  table.sort({ 2, 1 }, function() sort() return true end)
end
sort()
