/*
 * words.h - messages for those who write rules, in words that they use.
 *
 * Lua speaks of nil, userdata and upvalues; who writes a rule thinks of numbers, texts and facts
 * that are not there.
 */
#ifndef PATHWAY_LUA_WORDS_H
#define PATHWAY_LUA_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

/* A kind of Lua value, with its article: "a text", "nothing". */
const char *words_of(int lua_type);
/* The value at `index`: the same, but "true" or "false", and what our own objects are. */
const char *words_found(lua_State *L, int index);
/* What our objects call themselves to Lua, and so in its messages ("pathway.set"): "a set". */
const char *words_of_object(const char *name);
/* The value itself where people can read it, as "3" or "\"none\"", else what it is. Returns `out`,
 * which should have room for WORDS_VALUE bytes. */
#define WORDS_VALUE 64
const char *words_value(lua_State *L, int index, char *out, size_t size);

/* Does this message, put into those words, say that functions call each other without an end? */
bool words_is_endless(const char *message);

/*
 * Put a message that Lua itself has written ("x.lua:3: attempt to index a nil value (field
 * 'leads')") into those words, in place; its FILE:LINE stays in front. Other messages stay as they
 * are. What does not fit into `size` bytes is cut.
 */
void words_plain(char *message, size_t size);

#endif
