-- expects: UTF-8
return "\xff\xfe"
