-- expects: 
tostring = nil
