-- expects: is compared with
table.sort({ 1, "x", {} })
