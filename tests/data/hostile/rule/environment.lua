-- expects: national/
return _ENV.x
