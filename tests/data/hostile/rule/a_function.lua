-- expects: gave a function
return function() end
