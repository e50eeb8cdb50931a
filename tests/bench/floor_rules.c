/*
 * floor_rules.c - the floor of judging: bare Lua, which does all the work in floor_rules.lua.
 *
 * No sandbox, no tracking. Lua gets the program's arguments and a clock.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "common.h"

static const char USAGE[] = "bench-floor-rules SCRIPT ARGUMENTS...";

static int lua_clock_us(lua_State *L)
{
    lua_pushinteger(L, clock_us());
    return 1;
}

int main(int argc, char **argv)
{
    lua_State *L = need(luaL_newstate());

    if (argc < 2)
        die("no script\nusage: %s", USAGE);
    luaL_openlibs(L);
    lua_register(L, "clock_us", lua_clock_us);
    if (luaL_loadfile(L, argv[1]) != LUA_OK)
        die("%s", lua_tostring(L, -1));
    for (int i = 2; i < argc; i++)
        lua_pushstring(L, argv[i]);
    if (lua_pcall(L, argc - 2, 0, 0) != LUA_OK)
        die("%s", lua_tostring(L, -1));
    lua_close(L);
    return 0;
}
