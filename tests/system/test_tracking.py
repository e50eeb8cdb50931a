"""An event runs the rules that can read what it changed, and not the others.

One event of each type goes to a warm school (its record is in memory), each to a school and group of its own. How
many rules it ran is the difference of pathwayd_rule_runs_total. Printed as a table.
"""

import re
import unittest
from itertools import count

from daemon import Daemon, event, registered

NOW = "2026-11-21T09:00:00Z"
YEAR = "2026/27"
AREAS = ["vision_and_culture", "mathematical_mindsets", "subject_expertise", "school_systems",
         "arithmetical_proficiency"]
WHOLE = {"school.registered", "phase.recorded"}  # these change what most rules read
ANEW = {"school.succeeded", "event.voided"}  # these fold the schools they touch anew: every rule runs


def sent_to(school, group, other):
    """Type: data, for one event of each type to a school of the pack's world (and its group)."""
    of_group = {"group": group, "academic_year": YEAR}
    return {
        "school.registered": {"name": "Elm", "hub": "08", "education_phase": "junior", "status": "open"},
        "school.changed": {"name": "Elm"},
        "school.closed": {},
        "school.succeeded": {"predecessor": other},
        "programme.entered": {"academic_year": "2017/18"},
        "phase.recorded": {"pathway_phase": "building"},
        "specialist.appointed": {"person": "s1"},
        "specialist.stood_down": {"person": "s1"},
        "commitment.given": {"by": "h2"},
        "commitment.withdrawn": {},
        "lead.named": {"teacher": "t3"},
        "lead.stood_down": {"teacher": "t1"},
        "readiness.assessed": {"area": "school_systems", "judgement": "developing"},
        "group.joined": {"group": "group/new", "kind": "embedding", "academic_year": YEAR},
        "group.left": of_group | {"kind": "development"},
        "school.visited": of_group | {"term": 1},
        "focus.worked": of_group | {"focus": "lesson_design"},
        "contact.made": of_group,
        "waiver.granted": {"rule": "committed", "reason": "ill"},
        "waiver.ended": {"rule": "committed", "reason": "well again"},
        "group.formed": {"kind": "readiness", "hub": "08", "academic_year": "2025/26", "lead": "s2"},
        "group.met": {"kind": "development", "academic_year": YEAR, "half_term": 1,
                      "attendance": {school: ["t1", "t2"]}},
        "event.voided": {"source": "urn:test", "id": f"lead-t2-{school}"},
    }


class Tracking(unittest.TestCase):
    def setUp(self):
        self.d = Daemon(now=NOW)
        self.addCleanup(self.d.close)
        self.d.start()
        self.minutes = count()

    def time(self):
        """Each later than the one before, so that no event is late."""
        minute = next(self.minutes)
        return f"2026-11-{10 + minute // 1000:02}T{minute % 1000 // 60:02}:{minute % 60:02}:00Z"

    def warm(self, school, group):
        """A school in the middle of its development year, and its group."""
        joined = {"group": group, "kind": "development", "academic_year": YEAR}
        self.d.send([event("group.formed", group, {"kind": "development", "hub": "07", "academic_year": YEAR},
                           time=self.time()),
                     registered(int(school.split("/")[1])),
                     event("commitment.given", school, {"by": "h1"}, time=self.time()),
                     *(event("lead.named", school, {"teacher": t}, id=f"lead-{t}-{school}", time=self.time())
                       for t in ("t1", "t2")),
                     *(event("readiness.assessed", school, {"area": a, "judgement": "secure"}, id=f"{a}-{school}",
                             time=self.time()) for a in AREAS),
                     event("group.joined", school, joined, time=self.time()),
                     event("contact.made", school, {"group": group, "academic_year": YEAR}, time=self.time())])

    def figure(self, name):
        text = self.d.request("GET", "/metrics").text()
        return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)[1])

    def runs_of(self, kind, subject, data):
        before, refolds = self.figure("pathwayd_rule_runs_total"), self.figure("pathwayd_refolds_total")
        told = self.d.send([event(kind, subject, data, time=self.time())])
        self.assertEqual(told["accepted"], 1, told)
        return (int(self.figure("pathwayd_rule_runs_total") - before),
                int(self.figure("pathwayd_refolds_total") - refolds))

    def rules_of(self, path):
        return len(self.d.request("GET", path).json()["decisions"])

    def table(self, types, first):
        """(runs, refolds) by type, each at a school and a group of its own, of these numbers on."""
        schools = {kind: f"school/{100001 + n}" for n, kind in enumerate(types, first)}
        groups = {kind: f"group/g{n}" for n, kind in enumerate(types, first)}
        table = {}
        for kind in types:
            self.warm(schools[kind], groups[kind])
        for kind in types:
            other = f"school/{200001 + first}"
            data = sent_to(schools[kind], groups[kind], other)[kind]
            subject = groups[kind] if kind.startswith("group.f") or kind == "group.met" else schools[kind]
            table[kind] = self.runs_of(kind, subject, data)
        return table

    def is_as_promised(self, kind, runs, refolds):
        most = 3 * self.of_school  # a succession: both schools, once from nothing
        if kind not in WHOLE | ANEW:
            most = (self.of_school + self.of_group) / 2
        return (refolds > 0) == (kind in ANEW) and runs <= most

    def test_an_event_runs_the_rules_that_can_read_it(self):
        types = list(sent_to("", "", ""))
        for other in range(3):
            self.warm(f"school/{200001 + 100 * other}", f"group/other{other}")
        self.d.send([event("group.formed", "group/new", {"kind": "embedding", "hub": "07", "academic_year": YEAR},
                           time=self.time())])
        table = self.table(types, 0)
        self.of_school, self.of_group = self.rules_of("/v1/schools/100001"), self.rules_of("/v1/groups/g0")
        # A run that was stopped as suspect is repeated, which can befall any on a slow machine, but not each time.
        for first in (100, 200):
            again = [kind for kind in types if not self.is_as_promised(kind, *table[kind])]
            table |= self.table(again, first)
        print(f"\nrules run by one event, of {self.of_school} of a school and {self.of_group} of a group")
        for kind, (runs, refolds) in table.items():
            print(f"  {kind:22} {runs:4}{'   folded anew' if refolds else ''}")
        for kind, (runs, refolds) in table.items():
            with self.subTest(kind=kind):
                self.assertTrue(self.is_as_promised(kind, runs, refolds), (runs, refolds))

    def test_contact_on_the_same_day_again_runs_none(self):
        self.warm("school/100001", "group/g1")
        contact = {"group": "group/g1", "academic_year": YEAR}
        self.assertEqual(self.runs_of("contact.made", "school/100001", contact), (0, 0))


if __name__ == "__main__":
    unittest.main()
