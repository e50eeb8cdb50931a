"""Rules and reducers that fail or never end, in a daemon: what others see of them."""

import json
import sqlite3
import tempfile
import unittest
from pathlib import Path

from daemon import Daemon, event, registered
from support import tool

PACK = """return pack { name = "frail", version = "1",
events = { ["school.registered"] = { title = "Registered", subject = "school", data = { name = text, hub = hub,
             education_phase = optional(text), status = optional(text) } },
           turned = { title = "Turned", subject = "school", data = { how = text } } },
facts = { school = { name = text, hub = hub, n = initially(0, int) } },
on = { school = {
  ["school.registered"] = function(s, e) s.name, s.hub = e.data.name, e.data.hub end,
  turned = function(s, e)
    s.n = s.n + 1
    if e.data.how == "fail" then error("turned badly") end
    while e.data.how == "loop" do end
  end } },
rules = {
  fine = rule { "Fine", source = "s", function(s) return s.n end },
  fails = rule { "Fails", source = "s", function(s)
    if s.name == "Frail" then return s.name + 1 end
    return true end },
  loops = rule { "Loops", source = "s", function(s)
    while s.name == "Endless" do end
    return true end },
} }
"""


class Failing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rules = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        folder = Path(cls.rules.name) / "national"
        folder.mkdir()
        (folder / "pack.lua").write_text(PACK)
        cls.d = Daemon(rules=cls.rules.name).start()
        cls.d.send([registered(100001), registered(100002, name="Frail"), registered(100003, name="Endless"),
                    registered(100004, name="Turned")])
        cls.d.send([event("turned", "school/100004", {"how": how}, id=how) for how in ("well", "fail", "loop")])

    @classmethod
    def tearDownClass(cls):
        cls.d.close()
        cls.rules.cleanup()

    def school(self, urn):
        return self.d.request("GET", f"/v1/schools/{urn}").json()

    def error(self, urn, name):
        return json.dumps(self.school(urn)["decisions"][name]["value"])

    def test_a_rule_that_fails_is_an_error_for_that_school_alone(self):
        self.assertIn("national/pack.lua:16", self.error(100002, "fails"))
        self.assertIs(self.school(100001)["decisions"]["fails"]["value"], True)
        self.assertEqual(self.school(100002)["decisions"]["fine"]["value"], 0)

    def test_a_rule_that_never_ends_is_stopped_for_that_school_alone(self):
        self.assertIn("national/pack.lua:18: stopped after 10 million steps", self.error(100003, "loops"))
        self.assertIs(self.school(100001)["decisions"]["loops"]["value"], True)
        self.assertEqual(self.school(100003)["decisions"]["fine"]["value"], 0)

    def test_reducers_that_fail_leave_out_their_event(self):
        school = self.school(100004)
        self.assertEqual(school["decisions"]["fine"]["value"], 1)
        said = json.dumps(school["faults"])
        self.assertIn("turned badly", said)
        self.assertIn("stopped after 10 million steps", said)

    def test_all_of_it_is_in_the_status_and_in_the_metrics(self):
        errors = {e["rule"]: e for e in self.d.request("GET", "/v1/status").json()["rule_errors"]}
        self.assertEqual(errors["fails"]["subject"], "school/100002")
        self.assertEqual(errors["fails"]["hub"], "07")
        self.assertIn("stopped", errors["loops"]["error"])
        self.assertIn("on turned", errors)
        metrics = self.d.request("GET", "/metrics").text()
        self.assertRegex(metrics, r'pathwayd_rule_errors_total\{hub="07",rule="fails"\} [1-9]')
        self.assertRegex(metrics, r'pathwayd_rule_errors_total\{hub="07",rule="loops"\} [1-9]')
        self.assertRegex(metrics, r"pathwayd_rule_seconds_count [1-9]")

    def test_what_is_left_out_is_in_the_quarantine(self):
        url = f"unix:{self.d.socket}"
        done = tool("quarantine", "list", PATHWAY_URL=url)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("left out  school/100004  turned fail of urn:test", done.stdout)
        listed = json.loads(tool("quarantine", "list", "--json", PATHWAY_URL=url).stdout)
        self.assertEqual(listed["faults"]["total"], 2)
        self.assertEqual(listed["quarantine"]["items"], [])
        for command in ("retry", "discard"):
            done = tool("quarantine", command, "77", PATHWAY_URL=url)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("no number 77", done.stderr)
        self.assertEqual(tool("quarantine", "retry", "x", PATHWAY_URL=url).returncode, 2)

    def test_refused_events_are_tried_again_or_discarded(self):
        good = json.dumps(event("turned", "school/100009", {"how": "well"}, id="again"), indent=1)
        with sqlite3.connect(self.d.database, timeout=60) as db:
            for body in (good, "nonsense"):
                db.execute("INSERT INTO quarantine (origin, received, reason, body) VALUES ('test', 0, 'why', ?)",
                           (body.encode(),))
        db.close()
        url = f"unix:{self.d.socket}"
        self.assertIn("why", tool("quarantine", "list", PATHWAY_URL=url).stdout)
        done = tool("quarantine", "retry", "1", PATHWAY_URL=url)
        self.assertEqual((done.returncode, done.stdout), (0, "1: taken\n"), done.stderr)
        done = tool("quarantine", "retry", "2", PATHWAY_URL=url)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("invalid", done.stdout)
        done = tool("quarantine", "discard", "2", PATHWAY_URL=url)
        self.assertEqual((done.returncode, done.stdout), (0, "2: discarded\n"), done.stderr)
        self.assertEqual(self.d.request("GET", "/v1/quarantine").json()["total"], 0)
        self.assertEqual(self.school(100009)["decisions"]["fine"]["value"], 1)

    def test_the_feed_tells_and_replay_finds_the_same(self):
        told = {(e["subject"], e["data"]["decision"]): e["data"]["new"]
                for e in self.d.request("GET", "/v1/changes").json()["items"]}
        self.assertIn("stopped", json.dumps(told["school/100003", "loops"]))
        done = tool("replay", PATHWAY_URL=f"unix:{self.d.socket}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
