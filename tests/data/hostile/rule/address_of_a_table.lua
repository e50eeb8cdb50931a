-- expects: instead of
error({})
