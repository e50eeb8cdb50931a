"""`pathway check --against DATABASE`: which logged events other rules would not know any more."""

import json
import shutil
import sqlite3
import tempfile
import unittest
from pathlib import Path

from daemon import Daemon, event, registered
from support import tool

OVERLAY = """return overlay { hub = "%s", version = "1", events = { ["%s.visited"] = { title = "Visited", subject = "school",
  data = {} } } }
"""


PACK = """return pack { name = "small", version = "1",
  events = {
    ["school.registered"] = { title = "Registered", subject = "school", data = { name = text, hub = hub,
      education_phase = optional(text), status = optional(text) } },
    ["lead.named"] = { title = "Named", subject = "school", data = { teacher = person } },
    ["lead.stood_down"] = { title = "Stood down", subject = "school", data = { teacher = person } },
  },
  facts = { school = { name = text, hub = hub, leads = set(person) } },
  on = { school = {
    ["school.registered"] = function(s, e) s.name, s.hub = e.data.name, e.data.hub end,
    ["lead.named"] = function(s, e) s.leads:add(e.data.teacher) end,
    ["lead.stood_down"] = function(s, e) s.leads:remove(e.data.teacher) end,
  } },
  rules = { lead_count = rule { "Leads", source = "s", function(s) return #s.leads end },
            name_known = rule { "Named", source = "s", function(s) return s.name end } },
}
"""


class Against(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        cls.whole = Path(cls.folder.name)
        (cls.whole / "national").mkdir()
        (cls.whole / "national/pack.lua").write_text(PACK)
        cls.d = Daemon(rules=cls.whole).start()
        cls.d.send([registered(100001), registered(100002),
                    event("lead.named", "school/100001", {"teacher": "t1"}, id="first lead"),
                    event("lead.named", "school/100002", {"teacher": "7"}),
                    event("lead.named", "school/100002", {"teacher": "t2"}, time="2025-10-10T10:00:00Z"),
                    event("lead.stood_down", "school/100001", {"teacher": "t1"}, time="2025-10-11T10:00:00Z")])

    @classmethod
    def tearDownClass(cls):
        cls.d.close()
        cls.folder.cleanup()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        self.addCleanup(folder.cleanup)
        self.rules = Path(folder.name) / "rules"
        shutil.copytree(self.whole, self.rules)
        self.events = self.rules / "national/pack.lua"

    def change(self, before, after):
        self.events.write_text(self.events.read_text().replace(before, after))

    def check(self, *words, database=None):
        return tool("check", *words, "--against", database or self.d.database)

    def test_rules_that_know_all_of_it_are_good(self):
        done = self.check(self.whole)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("good", done.stdout)

    def test_a_type_that_is_no_more_is_counted_with_its_first_place_and_the_nearest(self):
        self.change('"lead.named"', '"lead.name"')
        done = self.check(self.rules)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("3 logged events of type 'lead.named', which these rules do not have; did you mean \"lead.name\"?"
                      " (the first: event 3, 'first lead' of urn:test)", done.stderr)
        self.assertIn("3 of 6 logged events would count for nothing", done.stderr)

    def test_data_that_does_not_fit_any_more_is_told_with_what_was_expected(self):
        text = self.events.read_text()
        self.events.write_text(text.replace("data = { teacher = person", "data = { teacher = enum { 't1', 't2' }", 1))
        done = self.check(self.rules)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stderr, r"1 logged event of type 'lead\.named' is not as \S*national/pack\.lua:\d+"
                                      r" declares it: data\.teacher\b.*\bone of t1, t2.*\(the first: event 4, ")

    def test_the_answer_for_programs(self):
        self.change('"lead.named"', '"lead.name"')
        told = json.loads(self.check(self.rules, "--json").stdout)
        self.assertEqual((told["events"], told["skipped"]), (6, 3))
        kind, = told["misfits"]
        self.assertEqual(kind, {"type": "lead.named", "count": 3, "why": None, "declared_at": None, "nearest": "lead.name",
                                "first": {"seq": 3, "source": "urn:test", "id": "first lead"}})

    def test_what_the_daemon_skips_is_what_was_warned_of(self):
        self.change('"lead.named"', '"lead.name"')
        told = json.loads(self.check(self.rules, "--json").stdout)
        with Daemon(folder=None, rules=self.rules) as d:
            d.stop()
            # Of one moment: the other daemon may be moving its journal into the file.
            source, copy = sqlite3.connect(self.d.database, timeout=60), sqlite3.connect(d.database)
            source.backup(copy)
            source.close()
            copy.close()
            d.start()
            self.assertEqual(d.request("GET", "/v1/status").json()["skipped_events"], told["skipped"])

    def test_overlays_that_would_stay_still_know_their_events(self):
        with tempfile.TemporaryDirectory() as folder, Daemon(rules=self.whole) as d:
            hubs = {}
            for hub in ("07", "12"):
                hubs[hub] = Path(folder) / hub
                hubs[hub].mkdir()
                (hubs[hub] / "overlay.lua").write_text(OVERLAY % (hub, hub))
                (Path(folder) / "national").mkdir(exist_ok=True)
                (Path(folder) / "national/pack.lua").write_text(PACK)
                done = tool("overlay", "push", hubs[hub], PATHWAY_URL=f"unix:{d.socket}")
                self.assertEqual(done.returncode, 0, done.stderr)
            d.send([registered(100001)] + [event(f"{hub}.visited", "school/100001") for hub in hubs])
            for what in (self.whole, hubs["07"]):
                done = self.check(what, database=d.database)
                self.assertNotIn("visited", done.stderr)
            (hubs["07"] / "overlay.lua").write_text((OVERLAY % ("07", "07")).replace("07.visited", "07.visit"))
            done = self.check(hubs["07"], database=d.database)
            self.assertEqual(done.returncode, 1)
            self.assertIn("1 logged event of type '07.visited', which these rules do not have", done.stderr)
            self.assertNotIn("12.visited", done.stderr)

    def test_a_database_that_can_not_be_read_is_3(self):
        done = self.check(self.whole, database="/nonexistent.db")
        self.assertEqual(done.returncode, 3)
        self.assertIn("/nonexistent.db", done.stderr)
        self.assertEqual(tool("check", self.whole, "--against").returncode, 2)


if __name__ == "__main__":
    unittest.main()
