/* answer_faults.c - "faults": events that were left out because a reducer failed on them, and moves
 * that fail, of all subjects, by the rules in force: what is derived, so that mended rules release
 * it by themselves. */
#include "base/civil.h"
#include "engine/fold.h"
#include "engine/reader.h"

#define FAULTS_MAX 10000

struct listing {
    struct buf *out;
    int64_t count;
};

static const struct entry *entry_of(const struct fold *f, int64_t seq)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].entry->seq == seq)
            return f->items[i].entry;
    return NULL;
}

static void write_fault(struct listing *l, const struct fold *f, const struct fault *fault)
{
    const struct entry *e = entry_of(f, fault->seq);

    if (++l->count > FAULTS_MAX)
        return;
    buf_str(l->out, l->count > 1 ? ",\n{\"subject\":" : "{\"subject\":");
    json_write_cstr(l->out, f->subject);
    buf_str(l->out, ",\"source\":");
    json_write_cstr(l->out, e ? e->key.source : NULL);
    buf_str(l->out, ",\"id\":");
    json_write_cstr(l->out, e ? e->key.id : NULL);
    buf_str(l->out, ",\"type\":");
    json_write_cstr(l->out, fault->type);
    buf_str(l->out, ",\"move\":");
    json_write_cstr(l->out, fault->move);
    buf_str(l->out, ",\"time\":");
    write_moment(l->out, e ? e->key.time : TIME_NEVER);
    buf_str(l->out, ",\"error\":");
    json_write_cstr(l->out, fault->message);
    buf_str(l->out, fault->added ? ",\"only_overlay\":true}" : "}");
}

static enum err_code list_faults(struct listing *l, struct reader *r, const char *subject,
                                 int64_t at, struct err *err)
{
    struct fold f = { 0 };

    enum err_code rc = fold_subject(&f, r->rules, r->world, subject, at, err);
    for (const struct fault *fault = f.faults; rc == OK && fault; fault = fault->next)
        write_fault(l, &f, fault);
    fold_fini(&f);
    return rc;
}

enum err_code answer_faults(struct buf *out, struct reader *r, const struct json *params,
                            struct err *err)
{
    static const char *const KNOWN[] = { NULL };
    struct listing l = { .out = out };
    struct instants when;
    size_t count;

    if (params_check(params, KNOWN, err) != OK || params_instants(&when, r, params, err) != OK ||
        reader_world(r, when.max_seq, true, err) != OK)
        return err->code;
    const char *const *subjects = world_subjects(r->world, &count);
    buf_str(out, "{\"items\":[");
    for (size_t i = 0; i < count; i++)
        if (list_faults(&l, r, subjects[i], when.at, err) != OK)
            return err->code;
    buf_printf(out, "],\"total\":%lld}", (long long)l.count);
    return OK;
}
