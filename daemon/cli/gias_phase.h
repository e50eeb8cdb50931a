/*
 * gias_phase.h - the register's codes and names as pathwayd's words.
 */
#ifndef PATHWAY_CLI_GIAS_PHASE_H
#define PATHWAY_CLI_GIAS_PHASE_H

/* As in the file; "" where it has nothing. */
struct gias_kind {
    const char *phase_code, *phase_name;
    const char *type_code, *type_name;
    const char *group_code, *group_name;
    int low_age, high_age; /* -1: not known */
};

/*
 * The education_phase, or NULL when the phase is none of the register's. A special school is
 * `special`, whatever its phase. The register's "Primary" hides others, told apart by age: to 7
 * infant, from 7 junior, to 8 or 9 first. "Middle deemed primary" is `middle`; "middle deemed
 * secondary" is `secondary`, for it is funded and inspected as one. Without a phase, ages decide
 * if they can.
 */
const char *gias_phase(const struct gias_kind *kind);

/* The status, or NULL. The code decides; the name where there is none. */
const char *gias_status(const char *code, const char *name);

#endif
