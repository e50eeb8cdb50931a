/* quarantine.c - what was refused and has nobody to answer to, and what a rule failed on. */
#include <string.h>

#include "ask.h"
#include "query.h"
#include "routes.h"

void get_quarantine(struct request *r)
{
    static const struct param KNOWN[] = { { "after", PARAM_TEXT },
                                          { "limit", PARAM_TEXT },
                                          { "number", PARAM_TEXT },
                                          { NULL, PARAM_TEXT } };
    struct str params = { 0 };

    str_text(&params, "{");
    ask_json(r, "quarantine", &params, KNOWN, false);
}

void get_faults(struct request *r)
{
    struct str params = { 0 };

    str_text(&params, "{");
    ask_json(r, "faults", &params, NO_PARAMS, false);
}

void delete_quarantine(struct request *r)
{
    struct str params = { 0 };

    str_text(&params, "{\"number\":");
    str_json(&params, r->segment, strlen(r->segment));
    str_text(&params, "}");
    ask(r, "aside.discard", &params, answer_json);
}
