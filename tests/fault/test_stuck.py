"""Code of a pack that never comes back, not even for the hook that stops it: the daemon ends, and the next one leaves that
pack out, says so, and goes on.

`pathwayd-crash` has a place where C loops for ever (PATHWAYD_STALL), and waits for it a few seconds instead of ten.
"""

import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from daemon import PATIENCE_S, Daemon, binary, event, registered
from proof import fault, key, logged_keys, rows
from support import RULES, tool

PLACE = "hubs/07/overlay.lua:2"
OVERLAY = """return overlay { hub = "07", version = "%d", rules = {
  h07_late = rule { "Late", source = "s", function(s) if #s.leads > 5 then return 2 end return 1 end } } }
"""


class Stuck(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pathway-rules-")
        self.addCleanup(folder.cleanup)
        self.rules = Path(folder.name) / "rules"
        shutil.copytree(RULES / "national", self.rules / "national")
        (self.rules / "hubs/07").mkdir(parents=True)
        self.overlay = self.rules / "hubs/07/overlay.lua"
        self.overlay.write_text(OVERLAY % 1)
        self.d = Daemon(rules=self.rules)
        self.addCleanup(self.d.close)

    def start(self, **environment):
        self.d.environment = environment
        crashing = os.environ.get("PATHWAYD_CRASHING", str(Path(binary("pathwayd")).parent / "pathwayd-crash"))
        with mock.patch.dict(os.environ, PATHWAYD=crashing):
            self.d.start()

    def packs(self):
        return {p["pack"]: p for p in self.d.request("GET", "/v1/status").json()["packs"]}

    def known_then(self):
        """When the first rules had judged something."""
        then, = rows(self.d.database, "SELECT recorded FROM event_commit WHERE generation = 1 ORDER BY number LIMIT 1")[0]
        return then

    def get_stuck(self):
        """Sent events, with rules that never come back for one of them; what was acknowledged."""
        sent = [registered(100001, hub="09")]
        self.start()
        self.d.send(sent)
        self.assertEqual(self.d.stop(), 0)
        self.start(PATHWAYD_STALL=PLACE)
        lead = event("lead.named", "school/100001", {"teacher": "t1"})
        self.d.send([lead])
        with self.assertRaises(OSError):
            self.d.send([registered(100002, hub="07")])
        self.assertEqual(self.d.process.wait(PATIENCE_S), 70, self.d.log()[-3000:])
        self.assertIn(f"rules: never came back, the process ends pack=hubs/07 ", self.d.log())
        return sent + [lead]

    def test_the_next_one_leaves_it_out_and_goes_on(self):
        sent = self.get_stuck()
        self.d.now = "2026-11-22T09:00:00Z"
        self.start()
        log = self.d.log()
        self.assertIn(f'rules: left out, since it never came back pack=hubs/07 place="{PLACE}"', log)
        self.assertFalse(Path(self.d.database + "-stuck").exists())
        pack = self.packs()["hubs/07"]
        self.assertIsNone(pack["generation"])
        self.assertIn(f"it never came back ({PLACE})", pack["last_error"])
        self.assertIn('pathwayd_rule_errors_total{hub="07",rule="pack"} 1', self.d.request("GET", "/metrics").text())
        more = [registered(100002, hub="07"), event("lead.named", "school/100002", {"teacher": "t2"})]
        self.assertEqual(self.d.send(more)["accepted"], 2)
        self.assertEqual(self.d.export()["school/100002", "is_open"], "true")
        self.assertNotIn(("school/100002", "h07_late"), self.d.export())
        self.assertEqual(set(logged_keys(self.d.database)), {key(e) for e in sent + more})
        with self.subTest("nor does a question about then run it"):
            answer = self.d.request("GET", "/v1/schools/100001?known=" + self.known_then())
            self.assertEqual(answer.status, 409, answer.text())
            self.assertIn("hubs/07 never came back", answer.json()["detail"])
            self.assertEqual(self.d.request("GET", "/v1/schools/100001").status, 200)
        with self.subTest("also the next time, and when it is pushed again as it is"):
            self.d.kill()
            self.start()
            self.assertIn("never came back", self.packs()["hubs/07"]["last_error"])
            pushed = tool("overlay", "push", self.overlay.parent, PATHWAY_URL=f"unix:{self.d.socket}")
            self.assertEqual(pushed.returncode, 1, pushed.stdout)
            self.assertIn("never came back", pushed.stderr)
        with self.subTest("until it is changed"):
            self.overlay.write_text(OVERLAY % 2)
            done = tool("reload", PATHWAY_URL=f"unix:{self.d.socket}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(self.d.export()["school/100002", "h07_late"], "1")
            self.assertIsNone(self.packs()["hubs/07"]["last_error"])
        self.assertEqual(self.d.stop(), 0)
        self.assertIsNone(fault(self.d.database))


if __name__ == "__main__":
    unittest.main()
