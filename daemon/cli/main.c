/* main.c - the program `pathway`. Everything is in commands.c, where tests can reach it. */
#include "cli/command.h"

int main(int argc, char **argv)
{
    return cli_main(argc, argv);
}
