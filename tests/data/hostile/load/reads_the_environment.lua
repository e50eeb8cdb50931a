-- expects: _ENV
local g = _ENV
return {}
