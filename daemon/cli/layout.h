/*
 * layout.h - answers (JSON) laid out for people.
 */
#ifndef PATHWAY_CLI_LAYOUT_H
#define PATHWAY_CLI_LAYOUT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

/* Append a value as people read it: strings bare, null and nothing as "-", true and false as
 * yes and no, lists with commas. */
void layout_value(struct buf *b, const struct json *value);

/* Append a midnight in London as its day, another instant without the microseconds that nobody
 * needs. After civil_init(). */
void layout_moment(struct buf *b, const struct json *value);

/* Append, behind "with what was known", a moment: a day is its first instant, and what was recorded
 * later on it was not known yet. */
void layout_known(struct buf *b, const struct json *moment);
/* Append the name of a fact or parameter as people say it, with spaces. */
void layout_name(struct buf *b, const char *name);

/* Print an object as lines "name  value"; members of members as "outer.inner". */
MUST_CHECK enum err_code layout_pairs(FILE *to, const struct buf *answer, struct err *err);
/* Print the answer as it is, with one newline at its end. Always OK; stdout is checked at the
 * end. */
MUST_CHECK enum err_code layout_raw(FILE *to, const struct buf *answer);

/* Columns on screen of UTF-8 text, taking every character for one wide. */
int layout_width(const char *text);
/* Print text and spaces up to `width` columns. */
void layout_pad(FILE *to, const char *text, int width);

/* What a school or group is now: heading, alerts that are on, facts, decisions, next wake. */
void layout_subject(FILE *to, const struct json *answer);

/* Append whom an answer, or a part of one, is about: "Elm Primary, school/100001, hub 07". */
void layout_who(struct buf *b, const struct json *object);
/* Why a decision is what it is, criterion by criterion, with the events behind it. After
 * civil_init(). */
void layout_explanation(FILE *to, const struct json *answer);
/* The events, moments, moves and changed decisions of a subject, a line each. After
 * civil_init(). */
void layout_history(FILE *to, const struct json *answer);
/* Append an event as a line: its day, title and data, and when it was recorded if that was later.
 * One that is not of the subject that the answer is `about` (its subject) says whose it is. */
void layout_event(struct buf *b, const struct json *event, const struct json *about);
/* What other rules (of this folder, NULL: the same) or parameters would decide differently. After
 * civil_init(). */
void layout_whatif(FILE *to, const struct json *answer, const char *rules);

/* Append "none -> development": what was before, and is now; of a rule that failed its message. */
void layout_values(struct buf *b, const struct json *change);
/* Append a change of a decision: "The school is open: no -> yes  (is_open)"; one without a title by
 * its name. */
void layout_decision(struct buf *b, const struct json *change);
/* Append an entry of the feed as a line: number, time, subject, decision, old -> new, and because
 * of what. After civil_init(). */
void layout_change(struct buf *b, const struct json *entry);

#endif
