/* strays.c - see strays.h. */
#include "lua/strays.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define DEPTH_MAX    4 /* folders in folders; below that nobody keeps rules */
#define PATH_MAX_LEN 1024

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);

    return len > end_len && strcasecmp(name + len - end_len, end) == 0;
}

bool stray_is_source(const char *name)
{
    size_t len = strlen(name);

    return len >= 5 && strcmp(name + len - 4, ".lua") == 0 && name[0] != '.';
}

/* Meant as a source: X.LUA, or x.lua.txt, whose end some systems do not show. How long its name is
 * without that; 0: it is not. */
static size_t misnamed(const char *name)
{
    if (name[0] == '.' || stray_is_source(name))
        return 0;
    return ends_in(name, ".lua")       ? strlen(name) - strlen(".lua")
           : ends_in(name, ".lua.txt") ? strlen(name) - strlen(".lua.txt")
                                       : 0;
}

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool join(char path[PATH_MAX_LEN], const char *dir, const char *name)
{
    return snprintf(path, PATH_MAX_LEN, "%s/%s", dir, name) < PATH_MAX_LEN;
}

/* Does a source lie in this folder, or in one below it? */
static bool holds_source(const char *dir, int depth)
{
    char path[PATH_MAX_LEN];
    DIR *d = opendir(dir);
    bool found = false;

    if (!d)
        return false;
    for (struct dirent *entry; !found && (entry = readdir(d));) {
        const char *name = entry->d_name;
        if (name[0] == '.')
            continue;
        found = stray_is_source(name) || misnamed(name) > 0 ||
                (depth < DEPTH_MAX && join(path, dir, name) && is_folder(path) &&
                 holds_source(path, depth + 1));
    }
    closedir(d);
    return found;
}

bool stray_in_pack(char *out, size_t size, const char *dir, const char *name)
{
    char path[PATH_MAX_LEN];
    size_t len = misnamed(name);

    if (len > 0) {
        snprintf(out, size,
                 "%s/%s:1: the file is not read: names of a pack's files end in .lua; call it "
                 "%.*s.lua",
                 dir, name, (int)len, name);
        return true;
    }
    if (name[0] == '.' || !join(path, dir, name) || !is_folder(path) || !holds_source(path, 1))
        return false;
    snprintf(out, size,
             "%s/%s: the Lua files in this folder are not read: those of a pack lie side by side; "
             "put them into %s",
             dir, name, dir);
    return true;
}

bool stray_in_hubs(char *out, size_t size, const char *hubs, const char *name)
{
    size_t len = stray_is_source(name) ? strlen(name) - strlen(".lua") : misnamed(name);

    if (len == 0)
        return false;
    snprintf(out, size,
             "%s/%s:1: the file is not read: an overlay is a folder called by its hub's code; put "
             "it into %s/CODE/, as %s/07/%.*s.lua",
             hubs, name, hubs, hubs, (int)len, name);
    return true;
}

bool stray_beside(char *out, size_t size, const char *dir, const char *name)
{
    char path[PATH_MAX_LEN];
    bool is_meant = strcmp(name, "hubs") != 0 &&
                    (strcasecmp(name, "hubs") == 0 || strcasecmp(name, "hub") == 0 ||
                     strcasecmp(name, "overlays") == 0);

    if (!is_meant || !join(path, dir, name) || !is_folder(path) || !holds_source(path, 1))
        return false;
    snprintf(out, size, "%s: the folder is not read: overlays lie in %s/hubs/CODE/", path, dir);
    return true;
}
