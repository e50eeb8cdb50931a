"""What is decided about a school and a group at a moment."""

from functools import lru_cache

from record import empty_record
from when import day_after, half_term_ends, in_year, midnight, year_end, year_of, year_start

LEADS_NEEDED, MEETINGS_NEEDED, VISITS_NEEDED, BUILDING_YEARS_NEEDED = 2, 5, 3, 1
ENTERED_FROM, ENTERED_TO = "2015/16", "2018/19"
GRACE_DAYS, CONTACT_DAYS = 14, 90
GROUP_MIN, GROUP_MAX = 6, 7

AREAS = ["vision_and_culture", "mathematical_mindsets", "subject_expertise", "school_systems",
         "arithmetical_proficiency"]
PRIMARY = {"primary", "infant", "junior", "first", "middle", "all_through"}
ORDER = {"none": 0, "preparatory": 1, "development": 2, "building": 3, "refinement": 4}
PHASE_OF = {"readiness": 1, "development": 2, "embedding": 3, "sustaining": 4}


def waived(s, rule, now):
    return any(w["rule"] == rule and (w["end"] is None or now < w["end"]) for w in s["waivers"])


@lru_cache(None)
def half_terms_overdue(year):
    return [midnight(day_after(day, GRACE_DAYS)) for day in half_term_ends(year)]


# ---- school ----

def areas_secure(s):
    return sum(judgement == "secure" for judgement in s["areas"].values())


def below_secure(s):
    return len(s["areas"]) - areas_secure(s)


def is_open(s, now):
    return waived(s, "is_open", now) or (
        s["registered"] and s["register"].get("status") in ("open", "proposed_to_close"))


def is_primary(s):
    return s["register"].get("education_phase") in PRIMARY


def committed(s, now):
    return s["committed"] or waived(s, "committed", now)


def two_leads(s, now):
    return len(s["leads"]) >= LEADS_NEEDED or waived(s, "two_leads", now)


def ready(s, now):
    return waived(s, "ready", now) or (
        below_secure(s) == 0 and (s["phase"] != "preparatory" or areas_secure(s) == len(AREAS)))


def development_complete(s, now):
    return s["completed"] or waived(s, "development_complete", now)


def before_development(s):
    return s["phase"] in ("none", "preparatory")


def eligible_preparatory(s, now):
    return waived(s, "eligible_preparatory", now) or (
        before_development(s) and below_secure(s) > 0 and is_primary(s) and is_open(s, now) and committed(s, now))


def eligible_development(s, now):
    return waived(s, "eligible_development", now) or (
        before_development(s) and is_primary(s) and is_open(s, now) and committed(s, now) and two_leads(s, now)
        and ready(s, now))


def eligible_building(s, now):
    return waived(s, "eligible_building", now) or (is_open(s, now) and development_complete(s, now))


def eligible_refinement(s, now):
    return waived(s, "eligible_refinement", now) or (is_open(s, now) and (
        ENTERED_FROM <= (entered(s) or "") <= ENTERED_TO or building_years(s, now) >= BUILDING_YEARS_NEEDED
        or len(s["specialists"]) > 0))


def entered(s):
    return min(s["years_entered"], default=None)


def building_years(s, now):
    return sum(now >= year_end(year) for year in s["embedded_years"])


def building_focuses(s):
    return len({focus for year in s["embedded_years"] for focus in s["focuses"].get(year, ())})


def development_year(s, now):
    """The latest that has begun; if none has, the earliest."""
    begun = [year for year in s["development_years"] if now >= year_start(year)]
    return max(begun) if begun else min(s["development_years"], default=None)


def attendance(s, year):
    if year is None:
        return None
    met = s["teachers_met"].get(year, {})
    marks = (met.get(half_term) for half_term in "123456")
    return "".join("-" if n is None else "2" if n >= LEADS_NEEDED else "1" if n else "0" for n in marks)


def meetings_counted(s, year):
    return sum(n >= LEADS_NEEDED for n in s["teachers_met"].get(year, {}).values())


def running(s, kind, now):
    return [m["year"] for m in s["memberships"] if m["kind"] == kind and in_year(m["year"], now)]


def developing(s, year, now):
    return s["phase"] == "development" and year is not None and in_year(year, now) and any(
        m["kind"] == "development" and m["year"] == year for m in s["memberships"])


def overdue_mark(year, shown, marks, now):
    return any(mark in marks and now >= due for mark, due in zip(shown, half_terms_overdue(year)))


def visit_overdue(s, year, now):
    visited = s["visits"].get(year, ())
    return any(term not in visited and now >= due for term, due in enumerate(half_terms_overdue(year)[1::2], 1))


def out_of_order(s, now):
    return any(PHASE_OF[m["kind"]] > ORDER[s["phase"]] and in_year(m["year"], now) for m in s["memberships"])


def out_of_contact(s, now):
    for m in s["memberships"]:
        if m["kind"] in ("development", "embedding") and in_year(m["year"], now):
            since = max(s["last_contact"] or "", f"{m['year'][:4]}-09-01")
            if now >= midnight(day_after(since, CONTACT_DAYS)):
                return True
    return False


def sustaining_lapsed(s, now):
    year = year_of(now)
    return s["phase"] == "refinement" and year not in s["sustained_years"] and now >= midnight(f"{year[:4]}-11-01")


def decide_school(s, now):
    year = development_year(s, now)
    shown = attendance(s, year)
    is_developing = developing(s, year, now)
    complete = development_complete(s, now)
    return {
        "areas_secure": areas_secure(s),
        "building_focuses": building_focuses(s),
        "building_years": building_years(s, now),
        "committed": committed(s, now),
        "development_attendance": shown,
        "development_complete": complete,
        "development_incomplete": (s["phase"] == "development" and year is not None and now >= year_end(year)
                                   and not complete),
        "development_meetings": meetings_counted(s, year),
        "development_observations": len(s["observed"].get(year, ())),
        "development_visits": len(s["visits"].get(year, ())),
        "development_year": year,
        "eligible_building": eligible_building(s, now),
        "eligible_development": eligible_development(s, now),
        "eligible_preparatory": eligible_preparatory(s, now),
        "eligible_refinement": eligible_refinement(s, now),
        "entered": entered(s),
        "is_open": is_open(s, now),
        "is_primary": is_primary(s),
        "last_contact": s["last_contact"],
        "lead_missing": is_developing and not two_leads(s, now),
        "meeting_missed": is_developing and overdue_mark(year, shown, "01", now),
        "meeting_unrecorded": is_developing and overdue_mark(year, shown, "-", now),
        "out_of_contact": out_of_contact(s, now),
        "out_of_order": out_of_order(s, now),
        "pathway_phase": s["phase"],
        "phase_since": s["phase_since"],
        **{f"readiness_{area}": s["areas"].get(area, "not_assessed") for area in AREAS},
        "ready": ready(s, now),
        "stale_urn": s["stale_urn"],
        "succeeded_by": s["succeeded_by"],
        "sustaining_lapsed": sustaining_lapsed(s, now),
        "sustaining_years": len(s["sustained_years"]),
        "two_leads": two_leads(s, now),
        "visit_overdue": is_developing and visit_overdue(s, year, now),
    }


# ---- group ----

def meeting_missed(g, now):
    if g["kind"] != "development" or not in_year(g["year"], now):
        return False
    met = g["meetings"].get(g["year"], ())
    return any(half_term not in met and now >= due for half_term, due in enumerate(half_terms_overdue(g["year"]), 1))


def decide_group(g, now):
    years = [g["year"]] if g["year"] else g["meetings"]
    return {
        "group_meeting_missed": meeting_missed(g, now),
        "group_meetings": sum(len(g["meetings"].get(year, ())) for year in years),
        "group_schools": len(g["schools"]),
        "group_size_ok": g["kind"] != "development" or GROUP_MIN <= len(g["schools"]) <= GROUP_MAX,
    }


def decide(record, now):
    kind = record["subject"].split("/")[0]
    return decide_school(record, now) if kind == "school" else decide_group(record, now) if kind == "group" else {}


def decide_empty(subject, now):
    """What a new subject is compared with."""
    return decide(empty_record(subject), now)
