-- expects: _G
return _G.x
