/*
 * coverage.h - `pathway test --coverage`: in which ways rules came out, for people and for
 * programs.
 */
#ifndef PATHWAY_CLI_COVERAGE_H
#define PATHWAY_CLI_COVERAGE_H

#include <stdbool.h>

#include "engine/coverage.h"

/* Print a row for each rule of the packs whose tests were run: in `tests`, and over `schools`
 * (NULL: nobody asked), of which there are `subjects`. */
void coverage_print(const struct coverage *tests, const struct coverage *schools, uint64_t subjects,
                    bool as_json);

#endif
