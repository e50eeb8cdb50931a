/*
 * plugin_internal.h - what plugins.c (found, started, stopped) and plugin_host.c (what they may
 * call) share.
 */
#ifndef PATHWAY_HOST_PLUGIN_INTERNAL_H
#define PATHWAY_HOST_PLUGIN_INTERNAL_H

#include "base/arena.h"
#include "host/consumers.h"
#include "host/keeper.h"
#include "host/loopwatch.h"
#include "host/plugins.h"

#define PLUGINS_MAX 16
#define OFFERS_MAX  32

enum slot_state {
    SLOT_STARTING,
    SLOT_RUNNING,
    SLOT_GIVING_UP, /* it said so; its stop() is still to be called */
    SLOT_STOPPING,
    SLOT_STOPPED,
};

struct offer {
    char *name; /* without the plugin's */
    pw_question_fn *fn;
};

struct slot {
    struct plugins *plugins;
    const struct pw_plugin *plugin;
    const struct config_section *section;
    struct pw_host host; /* the table it was given */
    void *self;
    enum slot_state state;
    char *fault; /* why it gave up; NULL: it did not */
    struct offer offers[OFFERS_MAX];
    size_t offer_count;
};

/* A question from one plugin to another. */
struct pw_question {
    struct pw_question *next;
    struct slot *slot; /* who answers; NULL: nobody, `why` says so */
    const struct offer *offer;
    char *params;
    bool is_put; /* the plugin has it */
    char *why;
    pw_answer_fn *done;
    void *arg;
};

/* A plugin that asked what it remembers before the database was open. */
struct early {
    struct early *next;
    struct slot *slot;
    pw_answer_fn *done;
    void *arg;
};

struct fault {
    char *name;
    char *reason;
};

struct plugins {
    struct slot slots[PLUGINS_MAX]; /* started ones, in order */
    size_t count;
    struct fault faults[PLUGINS_MAX]; /* those that did not start */
    size_t fault_count;
    uv_loop_t *loop;             /* borrowed */
    struct service *service;     /* borrowed */
    const struct config *config; /* borrowed */
    struct keeper *keeper;
    struct consumers *consumers;
    struct loopwatch *watch;
    struct pw_question *questions; /* not answered yet, oldest first */
    struct early *early;
    uv_timer_t soon;     /* questions to be put, plugins that gave up */
    uv_timer_t deadline; /* of the plugin that is being stopped */
    struct slot *stopping;
    char *folder; /* of the database */
    bool is_stopping;
    bool has_lost; /* a plugin did not stop: its handles may be open */
    void (*required_failed)(void *arg);
    void *required_arg;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

/* plugin_host.c: fill in the table that a plugin is given. */
void plugin_host_fill(struct slot *slot);
/* Its code runs from here on; what is returned goes to loopwatch_enter() afterwards. */
const char *plugin_enter(const struct slot *slot);
/* The database is open, or (with `error`) will not be: answer those who asked before. */
void early_go_on(struct plugins *p, const char *error);

/* plugin_questions.c */
bool plugin_is_good_name(const char *name);
enum pw_status question_offer(struct slot *slot, const char *name, pw_question_fn *fn);
enum pw_status question_ask(struct plugins *p, const char *question, const char *params,
                            pw_answer_fn *done, void *arg);
void question_answered(const struct slot *slot, struct pw_question *question, enum pw_status status,
                       const char *text, size_t len);
/* Put questions that wait to those who answer them. */
void questions_put(struct plugins *p);
/* Answer for a plugin that is gone (NULL: for all). */
void questions_fail(struct plugins *p, const struct slot *slot);

/* plugin_entries.c: lines of the feed to entries, which point into `text` (cut up in place) and
 * `arena`; *out is the caller's to free(). */
enum pw_status entries_read(struct pw_change **out, size_t *count, struct arena *arena, char *text,
                            size_t len);

/* plugin_measure.c */
void plugin_sample(void *ctx, struct pw_meter *meter, enum pw_metric_kind kind, const char *name,
                   const char *help, const char *const *labels, double value);
void plugin_measure(struct slot *slot, struct buf *out);

/* plugins.c: look at what there is to do, soon. */
void plugins_soon(struct plugins *p);

#endif
