"""Thirty edge cases from real services for schools and their programmes, one test each.

Each is told as events, and asked as people ask: what stands, since when, why, what was known when. The services that
they come from had to have most of them mended by hand.
"""

import json
import unittest

from daemon import Daemon, event
from daemon import registered as registered_later
from support import await_wakes, difference, export, judge, tool

FIRST, NOW = "2025-01-10T09:00:00Z", "2026-11-21T09:00:00Z"
AREAS = ("vision_and_culture", "mathematical_mindsets", "subject_expertise", "school_systems", "arithmetical_proficiency")
MET = ("10-01", "11-15", "01-20", "03-05", "04-30", "06-20")  # a day in each half term
PHASES = {"primary": True, "infant": True, "junior": True, "first": True, "middle": True, "all_through": True,
          "nursery": False, "secondary": False, "special": False, "other": False}


def day(date):
    return date if "T" in date else date + "T10:00:00Z"


def of(urn, kind, date, _id=None, /, **data):
    return event(kind, f"school/{urn}", data, time=day(date), **({"id": _id} if _id else {}))


def registered(urn, name="A School", hub="07", **data):
    made = registered_later(urn, name, hub)
    return made | {"time": "2023-09-01T08:00:00Z", "data": made["data"] | data}


def able(urn, date="2023-09-02", **more):
    """Open, primary, committed, two leads, all secure: it may join a Development Work Group."""
    return ([registered(urn, **more), of(urn, "commitment.given", date)]
            + [of(urn, "lead.named", date, f"lead-{urn}-{t}", teacher=f"{t}-{urn}") for t in ("a", "b")]
            + [of(urn, "readiness.assessed", date, f"ready-{urn}-{a}", area=a, judgement="secure") for a in AREAS])


def joined(urn, group, year, date, kind="development"):
    return of(urn, "group.joined", date, f"join-{urn}-{group}-{date}", group=f"group/{group}", kind=kind, academic_year=year)


def left(urn, group, year, date, kind="development"):
    return of(urn, "group.left", date, f"left-{urn}-{group}-{date}", group=f"group/{group}", kind=kind, academic_year=year)


def met(group, year, half_term, *urns, **who):
    """The group met; of each school came the two that `able` names, or those in `who` (u100001=[...])."""
    attendance = {f"school/{u}": [f"a-{u}", f"b-{u}"] for u in urns}
    attendance |= {f"school/{u[1:]}": people for u, people in who.items()}
    first = int(year[:4])
    return event("group.met", f"group/{group}", {"kind": "development", "academic_year": year, "half_term": half_term,
                                                 "attendance": attendance},
                 id=f"met-{group}-{year}-{half_term}",
                 time=f"{first if half_term < 3 else first + 1}-{MET[half_term - 1]}T16:00:00Z")


def visited(urn, group, year, term):
    first = int(year[:4])
    date = (f"{first}-11-20", f"{first + 1}-02-01", f"{first + 1}-05-05")[term - 1]
    return of(urn, "school.visited", date, f"visit-{urn}-{year}-{term}", group=f"group/{group}", academic_year=year, term=term)


def void(made, date="2026-10-01", _id=None):
    return event("event.voided", made["subject"], {"source": made["source"], "id": made["id"]},
                 id=_id or f"void-{made['id']}", time=day(date))


def a_year(urn, group, year):
    """All of a Development year."""
    return ([joined(urn, group, year, f"{year[:4]}-09-05")] + [met(group, year, h, urn) for h in range(1, 7)]
            + [visited(urn, group, year, t) for t in (1, 2, 3)])


class Cases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(now=FIRST)
        cls.d.start()
        for first in (cls.first_1, cls.first_4, cls.first_5):
            cls.told(first())
        cls.d.stop()
        cls.d.now = NOW
        cls.d.start()
        await_wakes(cls.d)

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    @classmethod
    def told(cls, events):
        answer = cls.d.send(events)
        assert answer["accepted"] == len(events), answer
        return events

    def get(self, path, **query):
        text = "&".join(f"{k}={v}" for k, v in query.items() if v)
        answer = self.d.request("GET", f"/v1/{path}{'?' + text if text else ''}")
        self.assertEqual(answer.status, 200, answer.text())
        return answer.json()

    def school(self, urn, at=None, known=None):
        return self.get(f"schools/{urn}", at=at, known=known)

    def stands(self, urn, at=None, known=None, **expected):
        decisions = self.school(urn, at, known)["decisions"]
        self.assertEqual({k: decisions[k]["value"] for k in expected}, expected)

    def why(self, urn, decision, at=None, known=None):
        return self.get(f"schools/{urn}/decisions/{decision}", at=at, known=known)

    def changes(self, urn):
        return [e["data"] for e in self.get("changes", limit=10000)["items"] if e["subject"] == f"school/{urn}"]

    # What had been sent by January 2025.

    @staticmethod
    def first_1():
        return able(100101) + [e for e in a_year(100101, "c1", "2023/24") if e["id"] != "met-c1-2023/24-5"
                               and e["id"] != "met-c1-2023/24-6"]

    @staticmethod
    def first_4():
        return able(100104) + a_year(100104, "c4", "2023/24") + [joined(100104, "c4e", "2024/25", "2024-09-05", "embedding")]

    @staticmethod
    def first_5():
        return able(100105) + [e for e in a_year(100105, "c5", "2023/24") if e["type"] != "school.visited"]

    # The cases.

    def test_01_late_declaration(self):
        """Evidence that comes months later counts where it belongs; what was known before stays askable."""
        self.stands(100101, at="2024-09-02", development_meetings=4, development_complete=False)
        self.told([met("c1", "2023/24", 5, 100101)])
        self.stands(100101, at="2024-09-02", development_meetings=5, development_complete=True)
        self.stands(100101, at="2024-09-02", known="2025-02-01", development_meetings=4, development_complete=False)
        self.assertTrue([e for e in self.get("schools/100101/events")["items"] if e["id"] == "met-c1-2023/24-5"][0]["late"])

    def test_02_out_of_order_submission(self):
        """The last first: the same as in order. The order of the dates counts."""
        events = able(100102) + a_year(100102, "c2", "2023/24")
        for e in reversed(events):
            self.told([e])
        rows = [line for line in export(self.d).splitlines() if line.startswith(("school/100102,", "group/c2,"))]
        expected = judge(events, NOW).splitlines()[1:]
        self.assertIsNone(difference("\n".join(rows), "\n".join(expected)))
        self.stands(100102, development_complete=True, eligible_building=True)

    def test_03_void(self):
        """As if it had never been, on every date; nothing is deleted. A void can be taken back."""
        self.told(able(100103))
        self.stands(100103, eligible_development=True)
        given = of(100103, "commitment.given", "2023-09-02")
        self.told([void(given)])
        self.stands(100103, eligible_development=False)
        self.stands(100103, at="2024-01-01", eligible_development=False)
        self.assertIn(given["id"], [e["id"] for e in self.get("schools/100103/events")["items"]])
        self.told([void(void(given), "2026-10-02")])
        self.stands(100103, at="2024-01-01", eligible_development=True)

    def test_04_void_after_something_was_built_on_it(self):
        """What was decided, and told, stays to be seen; that it is not so any more is told too, with the reason."""
        self.stands(100104, at="2025-01-05", pathway_phase="building")
        self.told([void(met("c4", "2023/24", h, 100104) | {"subject": "group/c4"}) for h in (1, 2)])
        self.stands(100104, at="2025-01-05", pathway_phase="development")
        self.stands(100104, at="2025-01-05", known="2025-02-01", pathway_phase="building")
        last = [c for c in self.changes(100104) if c["decision"] == "pathway_phase"][-1]
        self.assertEqual((last["old"], last["new"]), ("building", "development"))
        self.assertIn({"source": "urn:test", "id": "void-met-c4-2023/24-1"}, last["cause"]["events"])

    def test_05_frozen_year(self):
        """Figures as they were published, and what has been restated since."""
        published = {"at": "2024-09-02", "known": "2025-02-01"}
        before = self.get("summary", **published)["schools"]["decisions"]["development_complete"]
        self.told([visited(100105, "c5", "2023/24", t) for t in (1, 2, 3)])
        self.assertEqual(self.get("summary", **published)["schools"]["decisions"]["development_complete"], before)
        self.stands(100105, at="2024-09-02", development_complete=True)
        self.stands(100105, **published, development_complete=False)
        told = self.d.request("GET", "/v1/restated?from=2025-02-01&at=2024-09-02&hub=07").json()["items"]
        self.assertIn(("school/100105", "development_complete", False, True),
                      [(i["subject"], i["decision"], i["old"], i["new"]) for i in told])

    def test_06_moved_to_a_later_cohort(self):
        """A second year is one of its own; the first one's meetings stay where they were."""
        self.told(able(100106) + [joined(100106, "c6", "2023/24", "2023-09-05")]
                  + [met("c6", "2023/24", h, 100106) for h in (1, 2, 3)]
                  + [left(100106, "c6", "2023/24", "2024-02-10"), joined(100106, "c6b", "2024/25", "2024-09-05"),
                     met("c6b", "2024/25", 1, 100106)])
        self.stands(100106, at="2024-07-01", development_year="2023/24", development_attendance="222---")
        self.stands(100106, at="2024-12-01", development_year="2024/25", development_attendance="2-----")

    def test_07_changed_group_in_the_middle_of_a_year(self):
        """Attendance is the school's: what it did in the first group counts on."""
        self.told(able(100107) + [joined(100107, "c7", "2023/24", "2023-09-05"), met("c7", "2023/24", 1, 100107),
                                  met("c7", "2023/24", 2, 100107), left(100107, "c7", "2023/24", "2024-01-05"),
                                  joined(100107, "c7b", "2023/24", "2024-01-06")]
                  + [met("c7b", "2023/24", h, 100107) for h in (3, 4, 5)]
                  + [visited(100107, "c7b", "2023/24", t) for t in (1, 2, 3)])
        self.stands(100107, at="2024-09-02", development_attendance="22222-", development_complete=True)

    def test_08_duplicate(self):
        """The same again is no error; the same name with other content is a conflict, which is told."""
        made = of(100108, "lead.named", "2024-01-01", teacher="t-1")
        self.told([made])
        again = self.d.send([{**made, "data": dict(made["data"])}], "?results=all")
        self.assertEqual((again["duplicate"], again["results"][0]["status"]), (1, "duplicate"))
        other = self.d.send([made | {"data": {"teacher": "t-2"}}])
        self.assertEqual(other["conflict"], 1)
        self.assertIn("other content", other["results"][0]["detail"])
        self.assertEqual(self.school(100108)["facts"]["leads"], ["t-1"])

    def test_09_duplicate_participants(self):
        """Two keys are two people, until one of them is voided, or stands down."""
        twice = of(100109, "lead.named", "2024-01-02", teacher="j-smith-2")
        self.told([registered(100109), of(100109, "lead.named", "2024-01-01", teacher="j-smith"), twice])
        self.stands(100109, two_leads=True)
        self.told([void(twice)])
        self.stands(100109, two_leads=False)
        self.assertEqual([m["rule"] for m in self.why(100109, "two_leads")["missing"]], ["two_leads"])

    def test_10_transfer_told_by_two_parties(self):
        """Leaving and joining are facts of their own; either may be missing, and both may overlap."""
        self.told(able(100110) + [joined(100110, "c10b", "2026/27", "2026-10-01")])
        self.assertEqual(self.get("groups/c10b")["decisions"]["group_schools"]["value"], 1)
        self.told([joined(100110, "c10a", "2026/27", "2026-09-05")])
        self.assertEqual([self.get(f"groups/c10{g}")["decisions"]["group_schools"]["value"] for g in "ab"], [1, 1])
        self.told([left(100110, "c10a", "2026/27", "2026-09-30")])
        self.assertEqual([self.get(f"groups/c10{g}")["decisions"]["group_schools"]["value"] for g in "ab"], [0, 1])

    def test_11_leaving_on_a_day_to_come(self):
        """Nothing takes effect before its time; the forecast knows of it."""
        self.told(able(100111) + [joined(100111, "c11", "2026/27", "2026-09-05"), left(100111, "c11", "2026/27", "2027-01-15")])
        self.assertEqual(self.get("groups/c11")["decisions"]["group_schools"]["value"], 1)
        self.assertEqual(self.get("groups/c11", at="2027-01-16")["decisions"]["group_schools"]["value"], 0)
        ahead = self.get("forecast", until="2027-02-01", subject="group/c11")["changes"]
        self.assertIn(("2027-01-15T10:00:00.000000Z", "group_schools", 1, 0),
                      [(c["time"], c["decision"], c["old"], c["new"]) for c in ahead])

    def test_12_changed_hub(self):
        """The hub is a dated fact: each day's lists show the school with the hub of that day."""
        self.told(able(100112, hub="07") + [of(100112, "school.changed", "2025-04-01", hub="09")])
        for at, hub in (("2025-03-01", "07"), ("2025-05-01", "09"), (None, "09")):
            self.assertEqual(self.school(100112, at)["facts"]["hub"], hub)
            for asked in ("07", "09"):
                shown = [s["urn"] for s in self.get("schools", hub=asked, at=at, q="100112")["items"]]
                self.assertEqual(shown, ["100112"] if asked == hub else [], (at, asked))

    def test_13_disputed_membership(self):
        """One that should not be is voided: it never was, and the facts that told of it are kept."""
        wrong = joined(100113, "c13", "2026/27", "2026-09-05")
        self.told(able(100113) + [wrong])
        self.stands(100113, pathway_phase="development")
        self.told([void(wrong)])
        self.stands(100113, pathway_phase="none", development_year=None)
        self.assertEqual(self.get("groups/c13")["decisions"]["group_schools"]["value"], 0)

    def test_14_deferred_and_resumed(self):
        """In between it is no member, and nothing that only members owe is asked of it."""
        self.told(able(100114) + [joined(100114, "c14", "2025/26", "2025-09-05"), left(100114, "c14", "2025/26", "2025-10-10"),
                                  joined(100114, "c14", "2025/26", "2026-03-01")])
        self.stands(100114, at="2025-12-20", meeting_unrecorded=False, visit_overdue=False)
        self.stands(100114, at="2026-03-02", meeting_unrecorded=True)

    def test_15_no_date(self):
        """What has none is refused with the reason; a year that is not said is that of the event."""
        made = of(100115, "programme.entered", "2016-10-01")
        answer = self.d.send([{k: v for k, v in made.items() if k != "time"}])
        self.assertEqual(answer["invalid"], 1)
        self.assertIn("time: missing", answer["results"][0]["detail"])
        self.told([registered(100115), made])
        self.stands(100115, entered="2016/17", eligible_refinement=True)

    def test_16_withdrawn_without_having_begun(self):
        """It is recorded, and ends nothing."""
        self.told(able(100116) + [left(100116, "c16", "2026/27", "2026-09-20"), joined(100116, "c16", "2026/27", "2026-09-25")])
        self.stands(100116, pathway_phase="development")
        self.assertEqual(self.get("groups/c16")["decisions"]["group_schools"]["value"], 1)

    def test_17_withdrawn_by_mistake(self):
        """The withdrawal is voided; the membership has never ended."""
        end = left(100117, "c17", "2026/27", "2026-09-20")
        self.told(able(100117) + [joined(100117, "c17", "2026/27", "2026-09-05"), end])
        self.assertEqual(self.get("groups/c17")["decisions"]["group_schools"]["value"], 0)
        self.told([void(end)])
        self.assertEqual(self.get("groups/c17", at="2026-09-25")["decisions"]["group_schools"]["value"], 1)

    def test_18_extension(self):
        """More time, or less to do, is granted as such: by whom, why and until when; no other fact is bent."""
        self.told(able(100118) + [joined(100118, "c18", "2024/25", "2024-09-05")] + [met("c18", "2024/25", h, 100118) for h in (1, 2, 3, 4)]
                  + [of(100118, "waiver.granted", "2025-09-02", rule="development_complete", reason="flood in spring",
                        until="2026-08-31", by="lead-07")])
        self.stands(100118, at="2025-10-01", development_complete=True, eligible_building=True, development_meetings=4)
        self.stands(100118, at="2026-09-02", development_complete=False, eligible_building=False)
        waived = json.dumps(self.why(100118, "development_complete", at="2025-10-01"))
        self.assertIn("lead-07", waived)
        self.assertIn("2026-08-31", waived)

    def test_19_academy_conversion(self):
        """A new URN, the same school: it goes on where it was, and is found under both."""
        self.told(able(100119) + a_year(100119, "c19", "2024/25")
                  + [of(100119, "school.closed", "2025-10-31"), registered(200119, "New Academy"),
                     of(200119, "school.succeeded", "2025-11-01", predecessor="school/100119")])
        self.stands(200119, is_open=True, pathway_phase="development", development_complete=True, eligible_building=True)
        self.stands(100119, is_open=False, succeeded_by="school/200119")
        self.stands(100119, at="2025-10-01", succeeded_by=None, pathway_phase="development")
        self.assertIn("200119", [s["urn"] for s in self.get("schools", q="100119")["items"]])
        self.told([of(100119, "lead.named", "2025-12-01", teacher="late-one")])
        self.stands(100119, stale_urn=True)

    def test_20_successor_with_records_of_its_own(self):
        """Both histories in the order in which things happened."""
        self.told(able(100120) + a_year(100120, "c20", "2023/24")
                  + [registered(200120), of(200120, "lead.named", "2023-10-01", teacher="own"),
                     of(200120, "school.succeeded", "2025-01-15", predecessor="school/100120")])
        self.stands(200120, at="2025-01-14", pathway_phase="none", two_leads=False)
        self.stands(200120, pathway_phase="development", two_leads=True, development_year="2023/24")
        self.assertEqual(sorted(self.school(200120)["facts"]["leads"]), ["a-100120", "b-100120", "own"])

    def test_21_infant_and_junior_amalgamate(self):
        """Development is taken part in once, also when it was one of the two that did."""
        self.told(able(100121) + a_year(100121, "c21", "2023/24") + able(110121)
                  + [of(110121, "school.succeeded", "2025-09-01", predecessor="school/100121")])
        self.stands(110121, at="2025-08-31", eligible_development=True)
        self.stands(110121, eligible_development=False, pathway_phase="development", development_complete=True)

    def test_22_split(self):
        """Each of the successors has the history up to then, and its own from then on."""
        self.told(able(100122) + a_year(100122, "c22", "2023/24")
                  + [e for urn in (200122, 210122) for e in
                     (registered(urn), of(urn, "school.succeeded", "2025-09-01", predecessor="school/100122"))]
                  + [of(200122, "commitment.withdrawn", "2025-10-01")])
        self.stands(200122, development_complete=True, committed=False)
        self.stands(210122, development_complete=True, committed=True)
        self.assertEqual(self.get("groups/c22", at="2024-05-01")["decisions"]["group_schools"]["value"], 1)

    def test_23_closed_while_it_takes_part(self):
        """It may join nothing more; what it did stays."""
        self.told(able(100123) + [joined(100123, "c23", "2026/27", "2026-09-05"), of(100123, "school.closed", "2026-10-10")])
        self.stands(100123, is_open=False, pathway_phase="development", eligible_building=False, eligible_refinement=False)
        self.assertIn("is_open", [c for m in self.why(100123, "eligible_building")["rules"] for c in m.get("criteria", [])])

    def test_24_proposed_to_close_is_open(self):
        self.told([registered(100124), of(100124, "school.changed", "2026-01-01", status="proposed_to_close")])
        self.stands(100124, is_open=True)
        self.told([of(100124, "school.changed", "2026-02-01", status="proposed_to_open")])
        self.stands(100124, is_open=False)

    def test_25_joined_though_closed(self):
        """The fact is kept and shown; the school does not move on, and an alert says that this can not be right."""
        self.told(able(100125) + [of(100125, "school.closed", "2026-07-31"), joined(100125, "c25", "2026/27", "2026-09-05")])
        self.stands(100125, is_open=False, eligible_development=False, pathway_phase="none", out_of_order=True)
        self.assertIn("100125", [s["urn"] for s in self.get("schools", q="100125", is_open="false")["items"]])

    def test_26_changed_age_range(self):
        """Whom it concerns is in the feed, decision by decision."""
        self.told([registered(100126), of(100126, "school.changed", "2026-01-01", education_phase="infant"),
                   of(100126, "school.changed", "2026-09-01", education_phase="secondary")])
        self.stands(100126, at="2026-08-31", is_primary=True)
        self.stands(100126, is_primary=False, eligible_development=False)

    def test_27_local_government_reorganisation(self):
        """A whole county gets other LA codes: nobody changes hub, and nothing is decided differently."""
        urns = range(100270, 100290)
        self.told([registered(u, la="928") for u in urns])
        before = self.get("changes", limit=1)["seq"]
        self.told([of(u, "school.changed", "2026-04-01", la="940") for u in urns])
        self.assertEqual(self.get("changes", limit=1)["seq"], before)
        self.assertEqual({(self.school(u)["facts"]["la"], self.school(u)["facts"]["hub"]) for u in urns}, {("940", "07")})

    def test_28_phases_of_education(self):
        self.told([registered(100300 + n, education_phase=phase) for n, phase in enumerate(PHASES)])
        for n, (phase, is_primary) in enumerate(PHASES.items()):
            self.stands(100300 + n, is_primary=is_primary)

    def test_29_two_schools_share_people(self):
        """One person can be at a meeting for both; each school counts its own."""
        both = ["head", "deputy"]
        self.told([e for u in (100129, 110129) for e in able(u) + [joined(u, "c29", "2024/25", "2024-09-05")]]
                  + [met("c29", "2024/25", 1, u100129=both, u110129=both), met("c29", "2024/25", 2, u100129=both, u110129=["head"])])
        self.stands(100129, at="2024-12-01", development_attendance="22----")
        self.stands(110129, at="2024-12-01", development_attendance="21----")

    def test_30_wrong_school_picked(self):
        """Voided where it was wrong and entered where it is right; URN, LA and postcode tell the two apart."""
        wrong = of(100130, "commitment.given", "2026-09-10", "picked-wrong")
        self.told([registered(u, "St Mary's", la=la, postcode=code) for u, la, code in ((100130, "850", "SO23 9EX"), (110130, "936", "GU1 4PU"))] + [wrong])
        self.told([void(wrong), of(110130, "commitment.given", "2026-09-10", "picked-right")])
        self.stands(100130, committed=False)
        self.stands(110130, committed=True)
        shown = [(self.school(s["urn"])["facts"]["la"], self.school(s["urn"])["facts"]["postcode"])
                 for s in self.get("schools", q="St%20Mary", limit=5)["items"]]
        self.assertEqual(shown, [("850", "SO23 9EX"), ("936", "GU1 4PU")])

    def test_all_of_it_can_be_made_again(self):
        done = tool("replay", "--url", f"unix:{self.d.socket}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
