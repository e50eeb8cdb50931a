-- expects: collectgarbage
collectgarbage("stop")
