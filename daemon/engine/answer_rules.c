/* answer_rules.c - "rules": by what is decided. */
#include <string.h>

#include "base/civil.h"
#include "engine/reader.h"
#include "lua/inventory.h"
#include "store/derived.h"
#include "store/generation.h"

static enum err_code write_all(struct buf *out, struct ruleset *rs, struct err *err)
{
    enum err_code rc = OK;
    const char *name;

    buf_str(out, ",\"items\":[");
    for (int i = 0; rc == OK && (name = ruleset_rule_name(rs, i)); i++) {
        buf_str(out, i ? "," : "");
        rc = ruleset_describe(out, rs, name, err);
    }
    buf_str(out, "],\"parameters\":");
    ruleset_describe_params(out, rs);
    return rc;
}

enum err_code answer_rules(struct buf *out, struct reader *r, const struct json *params,
                           struct err *err)
{
    static const char *const KNOWN[] = { "name", "hub", NULL };
    const char *name, *hub;
    struct generation g;
    int64_t seq = 0;

    if (params_check(params, KNOWN, err) != OK || params_text(&name, params, "name", err) != OK ||
        params_text(&hub, params, "hub", err) != OK || rules_of_today(r, err) != OK ||
        reader_need_rules(r, err) != OK || generation_last(&g, r->store, err) != OK ||
        feed_last_seq(&seq, r->store, err) != OK)
        return err->code;
    struct ruleset *rs = rulebook_of_hub(r->rules, hub);
    buf_printf(out, "{\"seq\":%lld,\"generation\":%lld,\"digest\":", (long long)seq,
               (long long)g.number);
    json_write_cstr(out, g.digest);
    buf_str(out, ",\"since\":");
    write_moment(out, g.number ? g.since : TIME_NEVER);
    buf_str(out, ",\"hub\":");
    json_write_cstr(out, hub);
    enum err_code rc = OK;
    if (name) {
        buf_str(out, ",\"rule\":");
        rc = ruleset_describe(out, rs, name, err);
    } else {
        rc = write_all(out, rs, err);
    }
    buf_char(out, '}');
    return rc;
}
