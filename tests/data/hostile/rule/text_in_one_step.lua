-- expects: stopped: it made a text longer than
local x = ("x"):rep(65536)
local y = x .. x .. x .. x
return y .. y .. y .. y .. y .. y
