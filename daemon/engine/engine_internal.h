/*
 * engine_internal.h - what the engine's own files share.
 */
#ifndef PATHWAY_ENGINE_INTERNAL_H
#define PATHWAY_ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "store/store.h"

/* The writing connection; for use between commits. Borrowed. */
struct store *engine_store(struct engine *e);

#endif
