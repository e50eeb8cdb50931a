-- expects: 
e.data.word = "x"
error("done")
