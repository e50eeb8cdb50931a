/*
 * story.h - what happens over the years: who joins which group, what schools live through.
 */
#ifndef PATHWAY_STORY_H
#define PATHWAY_STORY_H

#include <stdbool.h>

#include "telling.h"

/* Tell all academic years from the first to the last. */
void story_tell(struct telling *t, bool with_registrations);

#endif
