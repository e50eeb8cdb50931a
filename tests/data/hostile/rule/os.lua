-- expects: os
return os.time()
