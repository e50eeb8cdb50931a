-- expects: package
return package.loaded
