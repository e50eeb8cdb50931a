"""One school, asked in every way, by the tool: the answers agree with each other, and with what was told two years ago."""

import csv
import io
import json
import unittest

from daemon import Daemon, event, registered
from support import judge, tool

SCHOOL = "school/100001"
THEN, NOW = "2024-11-25T09:00:00Z", "2026-11-25T09:00:00Z"
FIRST = [  # known two years ago
    registered(100001, name="Elm Primary", id="reg"),
    event("commitment.given", SCHOOL, {"by": "p.head"}, id="given", time="2024-09-02T10:00:00Z"),
    event("lead.named", SCHOOL, {"teacher": "t1"}, id="t1", time="2024-09-10T10:00:00Z"),
    event("lead.named", SCHOOL, {"teacher": "t2"}, id="t2", time="2024-09-11T10:00:00Z"),
]
LATER = [  # a lead who had stood down before, of whom nobody had told; and what has happened since
    event("lead.stood_down", SCHOOL, {"teacher": "t1"}, id="down", time="2024-10-01T10:00:00Z"),
    event("readiness.assessed", SCHOOL, {"area": "school_systems", "judgement": "developing"}, id="area",
          time="2025-06-10T10:00:00Z"),
]


class Agree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon(now=THEN)
        cls.addClassCleanup(cls.d.close)
        cls.d.start()
        cls.d.send(FIRST)
        cls.told = cls.ask("explain", SCHOOL, "eligible_development")
        cls.d.stop()
        cls.d.now = NOW
        cls.d.start()
        cls.d.send(LATER)

    @classmethod
    def ask(cls, *arguments, expect=0):
        done = tool(*arguments, "--json", PATHWAY_URL=f"unix:{cls.d.socket}")
        assert done.returncode == expect, done.stderr
        return json.loads(done.stdout)

    def missing(self, explanation):
        return {m["rule"]: (m.get("seen"), m.get("needed", {}).get("value")) for m in explanation["missing"]}

    def test_what_was_told_two_years_ago_is_told_again(self):
        again = self.ask("explain", SCHOOL, "eligible_development", "--at", THEN, "--known", THEN)
        for member in ("value", "since", "missing", "rules", "events", "read", "behind", "cause"):
            self.assertEqual(again[member], self.told[member], member)
        self.assertEqual((again["value"], self.missing(again)), (True, {}))

    def test_what_is_told_about_then_today_differs_by_what_is_restated(self):
        today = self.ask("explain", SCHOOL, "two_leads", "--at", THEN)
        self.assertEqual(today["rules"][0]["seen"], 1)
        items = self.ask("restated", SCHOOL, "--from", THEN, expect=1)["items"]
        known = [{name: d["value"] for name, d in self.ask("show", SCHOOL, "--at", THEN, *when)["decisions"].items()}
                 for when in (("--known", THEN), ())]
        self.assertEqual({i["decision"]: (i["old"], i["new"]) for i in items},
                         {name: (old, known[1][name]) for name, old in known[0].items() if old != known[1][name]})
        for item in items:
            self.assertEqual([e["id"] for e in item["cause"]["events"]], ["down"], item)

    def test_what_is_missing_is_what_advice_makes_so(self):
        explained = self.ask("explain", SCHOOL, "eligible_development")
        self.assertIs(explained["value"], False)
        self.assertEqual(self.missing(explained)["two_leads"], (1, 2))
        shown = self.ask("show", SCHOOL)["decisions"]["eligible_development"]
        self.assertEqual([shown[m] for m in ("value", "since", "until")],
                         [explained[m] for m in ("value", "since", "until")])
        sets = self.ask("advise", SCHOOL, "eligible_development")["sets"]
        self.assertTrue(sets)
        for found in sets:
            events = [item["event"] for item in found["events"]]
            self.assertIn(f"{SCHOOL},eligible_development,true", judge(FIRST + LATER + events, found["true_at"]), found)

    def test_another_parameter_changes_what_the_explanation_rests_on(self):
        explained = self.ask("explain", SCHOOL, "two_leads")
        needed = explained["rules"][0]["needed"]
        done = tool("whatif", "--set", f"{needed['parameter']}={explained['rules'][0]['seen']}", "--format", "csv",
                    PATHWAY_URL=f"unix:{self.d.socket}")
        self.assertEqual(done.returncode, 1, done.stderr)
        rows = {row[1]: row[2:] for row in csv.reader(io.StringIO(done.stdout)) if row[0] == SCHOOL}
        self.assertEqual(rows["two_leads"], ["false", "true"])
        self.assertNotIn("eligible_development", rows)  # an area stands against it too
        self.assertIn("areas", {f["name"] for r in self.ask("explain", SCHOOL, "eligible_development")["rules"]
                                for f in r["facts"]})

    def test_what_is_needed_is_said_before_anybody_is_asked(self):
        for command, option in (("forecast", "--until"), ("restated", "--from")):
            done = tool(command, SCHOOL, PATHWAY_URL="unix:/nonexistent")
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{command} needs {option}", done.stderr)


if __name__ == "__main__":
    unittest.main()
