"""A database of an older version goes on: whole, judged as before, with all that it was sent.

tests/data/migration.sql.gz is what the pathwayd of version 2 made of some sixty events and a change of its rules,
with midnights, voids and successions between them.
"""

import gzip
import json
import sqlite3
import unittest

from daemon import ROOT, Daemon, event
from proof import fault, logged_keys, rows
from support import await_wakes, difference, export, judge, tool

NOW = "2024-09-01T12:00:00Z"


class Migration(unittest.TestCase):
    def setUp(self):
        self.d = Daemon(now=NOW)
        self.addCleanup(self.d.close)
        db = sqlite3.connect(self.d.database)
        with gzip.open(ROOT / "tests/data/migration.sql.gz", "rt") as file:
            db.executescript(file.read())
        db.execute("PRAGMA application_id = 0x50574159")
        db.execute("PRAGMA user_version = 2")
        db.close()
        self.sent = [json.loads(body) for body, in rows(self.d.database, "SELECT body FROM event ORDER BY seq")]
        self.feed = rows(self.d.database, "SELECT seq, subject, decision, old, new FROM change ORDER BY seq")

    def test_it_is_what_its_log_makes_of_it(self):
        self.d.start()
        await_wakes(self.d)
        self.assertGreater(rows(self.d.database, "PRAGMA user_version"), [(2,)])
        self.assertIsNone(difference(export(self.d), judge(self.sent, NOW)))
        self.assertEqual(self.d.stop(), 0)
        self.assertIsNone(fault(self.d.database))
        feed = rows(self.d.database, "SELECT seq, subject, decision, old, new FROM change ORDER BY seq")
        self.assertEqual(feed[:len(self.feed)], self.feed)

    def test_nothing_but_the_daemon_migrates_it(self):
        before = rows(self.d.database, "SELECT name, sql FROM sqlite_master")
        for question in ("verify", "replay"):
            done = tool(question, "--database", self.d.database)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("start pathwayd on it once", done.stderr)
        self.assertEqual(rows(self.d.database, "SELECT name, sql FROM sqlite_master"), before)

    def test_it_goes_on(self):
        self.d.start()
        await_wakes(self.d)
        told = self.d.send(self.sent)
        noted = sum(e["type"] == "event.voided" for e in self.sent)  # the log has digests of their reasons
        self.assertEqual((told["accepted"], told["duplicate"], told["conflict"]),
                         (0, len(self.sent) - noted, noted))
        self.d.send([event("lead.named", "school/100007", {"teacher": "t9"}, time="2024-08-30T10:00:00Z"),
                     event("event.voided", self.sent[5]["subject"],
                           {"source": self.sent[5]["source"], "id": self.sent[5]["id"], "reason": "not so"},
                           time="2024-08-31T10:00:00Z")])
        await_wakes(self.d)
        self.d.kill()
        self.d.start()
        await_wakes(self.d)
        self.assertEqual(len(logged_keys(self.d.database)), len(self.sent) + 2)
        self.assertEqual(self.d.stop(), 0)
        self.assertIsNone(fault(self.d.database))

    def test_the_feed_names_the_events_that_it_named(self):
        stored = dict(rows(self.d.database, "SELECT seq, cause FROM change"))
        self.d.start()
        for entry in self.d.request("GET", "/v1/changes?limit=500").json()["items"]:
            seq = entry["data"]["seq"]
            if seq in stored:
                self.assertEqual(entry["data"]["cause"], json.loads(stored[seq]))


if __name__ == "__main__":
    unittest.main()
