"""Folding: events in order, and how a school moves along the pathway by itself."""

from record import add, apply_group, apply_school, empty_record, enter_phase
from rules import (MEETINGS_NEEDED, ORDER, VISITS_NEEDED, eligible_building, eligible_development,
                   eligible_preparatory, eligible_refinement, meetings_counted, running)
from when import septembers, year_end, year_of


def has_completed(s, now):
    return ORDER[s["phase"]] >= ORDER["development"] and any(
        now >= year_end(year) and meetings_counted(s, year) >= MEETINGS_NEEDED
        and len(s["visits"].get(year, ())) >= VISITS_NEEDED for year in s["development_years"])


def gather(years, running_years):
    return any([add(years, year) for year in running_years])


def next_phase(s, now):
    phase = s["phase"]
    if phase != "refinement" and running(s, "sustaining", now) and eligible_refinement(s, now):
        return "refinement"
    if phase == "development" and running(s, "embedding", now) and eligible_building(s, now):
        return "building"
    if phase in ("none", "preparatory") and running(s, "development", now) and eligible_development(s, now):
        return "development"
    if phase == "none" and running(s, "readiness", now) and eligible_preparatory(s, now):
        return "preparatory"
    return None


def ask(s, now):
    """Take the steps again and again until nothing changes."""
    moved = True
    while moved:
        moved = False
        if not s["completed"] and has_completed(s, now):
            s["completed"] = moved = True
        if ORDER[s["phase"]] >= ORDER["building"] and gather(s["embedded_years"], running(s, "embedding", now)):
            moved = True
        if s["phase"] == "refinement" and gather(s["sustained_years"], running(s, "sustaining", now)):
            moved = True
        if phase := next_phase(s, now):
            enter_phase(s, phase, now)
            if phase == "development":
                add(s["years_entered"], year_of(now))
            moved = True


def pass_time(s, before):
    """Time alone moves a school only when an academic year begins: that a waiver runs out lets nothing happen."""
    for begin in septembers(s["last"][0], before):
        ask(s, begin)


def take(record, event, names):
    if record["subject"].startswith("school/"):
        if record["last"]:
            pass_time(record, event.time)
        apply_school(record, event, names)
        ask(record, event.time)
    elif record["subject"].startswith("group/"):
        apply_group(record, event)
    record["last"] = list(event.key)


def as_of(record, now):
    """The record as it is now; the one given stays as it was after its last event."""
    if not record["last"] or not record["subject"].startswith("school/"):
        return record
    copy = record | {name: list(record[name]) for name in ("years_entered", "embedded_years", "sustained_years")}
    pass_time(copy, now + 1)
    return copy


def fold(subject, items):
    record = empty_record(subject)
    for event, names in items:
        take(record, event, names)
    return record


# ---- what a record is folded from ----

def stands(store, event):
    """Does no void act on it? One acts on an earlier event of its own subject, if it stands itself."""
    return not any(v.subject == event.subject and v.key > event.key and stands(store, v)
                   for v in store.voids_of(event))


def history(store, subject, now, before=None, path=()):
    """(event, names) in event order: of the subject, and of the schools that it continues. `path`: the
    subjects from the one asked about down to this one."""
    items = {}
    for event in store.events_of(subject):
        if event.time > now or (before and event.key >= before.key):
            break
        if stands(store, event):
            items[event.seq] = event, [subject]
    for event, _ in list(items.values()):
        if event.type != "school.succeeded" or event.subject != subject:
            continue
        predecessor = event.data["predecessor"]
        if predecessor == subject or predecessor in path:
            continue
        for taken, names in history(store, predecessor, now, event, (*path, subject)):
            known = items.get(taken.seq)
            if not known:
                items[taken.seq] = taken, names
            elif known[1][0] != subject:
                items[taken.seq] = taken, list(dict.fromkeys(known[1] + names))
    return sorted(items.values(), key=lambda item: item[0].key)
