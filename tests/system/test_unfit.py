"""Overlays that do not go with the national pack that comes into force: they are left out, told, and come back; no hub
stops the nation."""

import tempfile
import unittest
from pathlib import Path

from daemon import PATIENCE_S, Daemon, event
from proof import fault
from support import tool

NATIONAL = """return pack { name = "national", version = "1",
  events = { at = { title = "At", subject = "school", data = { hub = hub, n = int } } },
  facts = { school = { hub = hub, n = initially(0, int) } },
  on = { school = { at = function(s, e) s.hub = e.data.hub s.n = e.data.n end } },
  params = { needed = 2 },
  rules = { enough = rule { "Enough", source = "s", function(s) return s.n >= s.param.needed end } },
  open = { needed = freely },
  tests = { { "two are enough", given = { { "at", hub = "99", n = 2 } }, at = "2025-11-01", expect = { enough = true } } },
}
"""
# The parameter has another name.
RENAMED = NATIONAL.replace("needed", "wanted")
OVERLAY = """return overlay { hub = "%s", version = "1", params = { needed = %d },
  rules = { h%s_n = rule { "N", source = "s", function(s) return s.n end } } }
"""


class Unfit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        self.addCleanup(folder.cleanup)
        self.rules = Path(folder.name) / "rules"
        (self.rules / "national").mkdir(parents=True)
        self.national(NATIONAL)

    def national(self, text):
        (self.rules / "national/pack.lua").write_text(text)

    def overlay(self, hub, text=OVERLAY, needed=3):
        folder = self.rules / "hubs" / hub
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "overlay.lua").write_text(text % (hub, needed, hub) if "%" in text else text)
        return folder

    def begin(self):
        d = Daemon(rules=self.rules)
        self.addCleanup(d.close)
        d.start()
        d.send([event("at", f"school/1000{hub}", {"hub": hub, "n": 2}) for hub in ("07", "12", "09")])
        return d

    def reload(self, d):
        return tool("reload", PATHWAY_URL=f"unix:{d.socket}")

    def packs(self, d):
        return {p["pack"]: p for p in d.request("GET", "/v1/status").json()["packs"]}

    def enough(self, d):
        return {subject[-2:]: value for (subject, name), value in d.export().items() if name == "enough"}

    def end(self, d):
        self.assertEqual(d.stop(), 0)
        self.assertIsNone(fault(d.database))

    def test_one_that_a_new_national_pack_does_not_fit_is_left_out_and_all_others_go_on(self):
        self.overlay("07")
        self.overlay("12", "return overlay { hub = '12', rules = { h12_n = rule { 'N', source = 's', function(s) return s.n end } } }")
        d = self.begin()
        self.assertEqual(self.enough(d), {"07": "false", "12": "true", "09": "true"})
        self.national(RENAMED)
        done = self.reload(d)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("generation 2", done.stdout)
        self.assertIn("hubs/07/overlay.lua:1: ", done.stderr)
        self.assertIn("hubs/07: it is left out until it, or the national pack, is changed", done.stderr)
        self.assertNotIn("hubs/12", done.stderr)
        self.assertEqual(self.enough(d), {"07": "true", "12": "true", "09": "true"})
        self.assertIsNone(self.packs(d)["hubs/07"]["generation"])
        self.assertIn("needed", self.packs(d)["hubs/07"]["last_error"])
        self.assertEqual(self.packs(d)["hubs/12"]["generation"], 1)
        told, = (c["data"] for c in d.request("GET", "/v1/changes").json()["items"]
                 if c["subject"] == "school/100007" and c["data"]["decision"] == "enough")
        self.assertEqual((told["old"], told["new"], told["cause"]["generation"]), (False, True, 2))
        d.kill()
        d.start()
        self.assertEqual(d.request("GET", "/v1/status").json()["rules"]["generation"], 2)
        self.overlay("07", OVERLAY.replace("needed =", "wanted ="))
        done = self.reload(d)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.enough(d)["07"], "false")
        self.assertIsNone(self.packs(d)["hubs/07"]["last_error"])
        self.end(d)

    def test_one_whose_tests_fail_by_it_is_left_out_too(self):
        self.overlay("07", """return overlay { hub = "07", rules = { h07_n = rule { "N", source = "s", function(s) return s.n end } },
          tests = { { "two are enough", given = { { "at", hub = "07", n = 2 } }, at = "2025-11-01", expect = { enough = true } } } }""")
        d = self.begin()
        self.national(NATIONAL.replace("needed = 2", "needed = 1").replace(">=", ">").replace("n = 2", "n = 4").replace(
            "s.param.needed", "s.param.needed + 1"))
        done = self.reload(d)
        self.assertIn("the test 'two are enough' fails", done.stderr)
        self.assertIn("generation 2", done.stdout)
        self.assertIsNone(self.packs(d)["hubs/07"]["generation"])
        self.end(d)

    def test_one_that_was_pushed_comes_back_with_a_national_pack_that_it_goes_with(self):
        d = self.begin()
        mine = self.overlay("07").rename(self.rules.parent / "07")
        (self.rules / "hubs").rmdir()
        done = tool("overlay", "push", mine, PATHWAY_URL=f"unix:{d.socket}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.national(RENAMED)
        self.assertIn("hubs/07: it is left out until it", self.reload(d).stderr)
        self.assertEqual(self.enough(d)["07"], "true")
        # Another hub's push does not wake it up, nor does a restart.
        (mine / "overlay.lua").write_text(OVERLAY.replace("needed =", "wanted =") % ("12", 3, "12"))
        done = tool("overlay", "push", mine.rename(self.rules.parent / "12"), PATHWAY_URL=f"unix:{d.socket}")
        self.assertEqual(done.returncode, 0, done.stderr)
        d.kill()
        d.start()
        self.assertEqual(self.enough(d)["07"], "true")
        self.assertIn("needed", self.packs(d)["hubs/07"]["last_error"])
        self.national(NATIONAL.replace("'s'", "'t'").replace("params = {", "params = { wanted = 2,").replace(
            "open = {", "open = { wanted = freely,"))
        done = self.reload(d)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.enough(d), {"07": "false", "12": "true", "09": "true"})
        self.assertIsNone(self.packs(d)["hubs/07"]["last_error"])
        self.end(d)

    def test_a_national_pack_that_is_refused_itself_leaves_no_overlay_out(self):
        self.overlay("07")
        d = self.begin()
        self.national(RENAMED.replace("expect = { enough = true }", "expect = { enough = false }"))
        self.overlay("12")
        done = self.reload(d)
        self.assertIn("national was not taken", done.stderr)
        self.assertNotIn("hubs/", done.stderr)
        self.assertIn("generation 2", done.stdout)  # the new overlay, beside the national pack that is in force
        self.assertEqual(self.enough(d), {"07": "false", "12": "false", "09": "true"})
        self.assertEqual(self.packs(d)["hubs/07"]["generation"], 1)
        self.assertIsNone(self.packs(d)["hubs/07"]["last_error"])
        self.end(d)

    def test_a_first_start_tells_what_is_wrong_with_the_national_pack(self):
        self.overlay("07")
        self.national(NATIONAL.replace("s.n >=", "s.m >=").replace("'s'", "'s', titel = 'x'"))
        d = Daemon(rules=self.rules)
        self.addCleanup(d.close)
        d.start(wait=False)
        self.assertEqual(d.process.wait(PATIENCE_S), 1)
        self.assertIn("national/pack.lua:6: ", d.log())
        self.assertNotIn("no file here returns pack", d.log())

    def test_a_first_start_leaves_out_an_overlay_with_errors(self):
        self.overlay("07", "return overlay { hub = '07', rulez = {} }")
        self.overlay("12")
        d = self.begin()
        self.assertEqual(self.enough(d), {"07": "true", "12": "false", "09": "true"})
        self.assertIn("rulez", self.packs(d)["hubs/07"]["last_error"])
        self.end(d)


if __name__ == "__main__":
    unittest.main()
