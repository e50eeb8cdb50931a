/*
 * template.h - the files of a starting overlay, as they lie in template/, in the program.
 */
#ifndef PATHWAY_CLI_TEMPLATE_H
#define PATHWAY_CLI_TEMPLATE_H

#include <stddef.h>

/* In the text @HUB@ stands for the hub's code, @P@ for what the names that it adds begin with. A
 * list that ends with a NULL name. */
struct template_file {
    const char *name;
    const char *text; /* NUL-terminated */
};
extern const struct template_file overlay_template[];

#endif
