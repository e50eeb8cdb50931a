-- expects: io
return io.open("/etc/passwd")
