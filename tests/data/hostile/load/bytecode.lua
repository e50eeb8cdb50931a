-- expects: binary chunk
@bytecode
