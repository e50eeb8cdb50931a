"""The record of a school or a group: what is remembered, and how an event changes it. Plain JSON."""

from when import day_after, day_of, midnight, year_of

# What may still be sent for a school that another one continues.
WELCOME = {"school.registered", "school.changed", "school.closed", "school.succeeded", "event.voided"}


def empty_record(subject):
    if subject.startswith("group/"):
        return {"subject": subject, "last": None, "kind": None, "year": None, "schools": [], "meetings": {}}
    return {
        "subject": subject, "last": None, "registered": False, "register": {}, "succeeded_by": None,
        "stale_urn": False, "committed": False, "leads": [], "specialists": [], "waivers": [],
        "phase": "none", "phase_since": None, "completed": False,
        "years_entered": [], "embedded_years": [], "sustained_years": [],
        "areas": {}, "memberships": [], "development_years": [],
        "teachers_met": {}, "observed": {}, "visits": {}, "focuses": {}, "last_contact": None,
    }


def add(values, value):
    if value in values:
        return False
    values.append(value)
    return True


def remove(values, value):
    if value in values:
        values.remove(value)


def enter_phase(s, phase, time):
    if s["phase"] != phase:
        s["phase_since"] = day_of(time)
    s["phase"] = phase


def contact(s, time):
    day = day_of(time)
    if s["last_contact"] is None or day > s["last_contact"]:
        s["last_contact"] = day


def school_met(s, data, time, names):
    """`names`: this school, or the predecessors as which it takes the event in."""
    year, half_term = data["academic_year"], str(data["half_term"])
    for name in names:
        if name not in data["attendance"]:
            continue
        teachers = len(set(data["attendance"][name]))
        if teachers:
            contact(s, time)
        if data["kind"] == "development":
            met = s["teachers_met"].setdefault(year, {})
            met[half_term] = max(met.get(half_term, 0), teachers)
            if teachers and data.get("observation"):
                add(s["observed"].setdefault(year, []), half_term)


def apply_school(s, event, names):
    data, time = event.data, event.time
    match event.type:
        case "school.registered":
            s["registered"] = True
            s["register"].update(data)
        case "school.changed":
            s["register"].update(data)
        case "school.closed":
            s["register"]["status"] = "closed"
        case "school.succeeded":
            if event.subject in names:
                s["register"]["status"] = "open"
            elif names[0] == s["subject"]:
                s["succeeded_by"] = event.subject
                s["memberships"] = []
        case "programme.entered":
            add(s["years_entered"], data.get("academic_year") or year_of(time))
        case "phase.recorded":
            enter_phase(s, data["pathway_phase"], time)
            if s["phase"] in ("building", "refinement"):
                s["completed"] = True
        case "specialist.appointed":
            add(s["specialists"], data["person"])
        case "specialist.stood_down":
            remove(s["specialists"], data["person"])
        case "commitment.given":
            s["committed"] = True
        case "commitment.withdrawn":
            s["committed"] = False
        case "lead.named":
            add(s["leads"], data["teacher"])
        case "lead.stood_down":
            remove(s["leads"], data["teacher"])
        case "readiness.assessed":
            s["areas"][data["area"]] = data["judgement"]
        case "group.joined":
            s["memberships"].append({"group": data["group"], "kind": data["kind"], "year": data["academic_year"]})
            if data["kind"] == "development":
                add(s["development_years"], data["academic_year"])
        case "group.left":
            s["memberships"] = [m for m in s["memberships"] if m["group"] != data["group"]]
        case "school.visited":
            add(s["visits"].setdefault(data["academic_year"], []), data["term"])
            contact(s, time)
        case "focus.worked":
            add(s["focuses"].setdefault(data["academic_year"], []), data["focus"])
        case "contact.made":
            contact(s, time)
        case "group.met":
            school_met(s, data, time, names)
        case "waiver.granted":
            end = midnight(day_after(data["until"], 1)) if "until" in data else None
            s["waivers"].append({"rule": data["rule"], "end": end})
        case "waiver.ended":
            s["waivers"] = [w for w in s["waivers"] if w["rule"] != data["rule"]]
    if s["succeeded_by"] and names[0] == s["subject"] and event.type not in WELCOME:
        s["stale_urn"] = True


def apply_group(g, event):
    data = event.data
    match event.type:
        case "group.formed":
            g["kind"], g["year"] = data["kind"], data["academic_year"]
        case "group.joined":
            add(g["schools"], event.subject)
        case "group.left":
            remove(g["schools"], event.subject)
        case "group.met":
            add(g["meetings"].setdefault(data["academic_year"], []), data["half_term"])
