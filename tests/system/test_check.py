"""`pathway verify` and `pathway replay`, of a daemon and of a database; what a clean stop leaves behind."""

import json
import os
import shutil
import sqlite3
import unittest

from daemon import Daemon, event, registered
from support import tool


class Check(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.d = Daemon().start()
        cls.d.send([registered(100001), registered(100002),
                    event("commitment.given", "school/100001"),
                    event("event.voided", "school/100001",
                          {"source": "urn:test", "id": "commitment.given/school/100001/2025-09-10T10:00:00Z"},
                          time="2025-09-11T10:00:00Z")])
        cls.url = f"unix:{cls.d.socket}"

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    def copy(self, *changes):
        """A copy of the database with these statements run on it."""
        path = str(self.d.folder / f"{self.id()}.db")
        with sqlite3.connect(self.d.database) as source, sqlite3.connect(path) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            for sql in changes:
                copy.execute(sql)
        source.close()
        copy.close()
        return path

    def test_all_is_well_in_a_daemon(self):
        for question in ("verify", "replay"):
            done = tool(question, PATHWAY_URL=self.url)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("4 events", done.stdout)
            answer = json.loads(tool(question, "--json", PATHWAY_URL=self.url).stdout)
            self.assertIs(answer["ok"], True)
            self.assertEqual(answer["events"], 4)
            self.assertEqual(self.d.request("GET", f"/v1/{question}").json(), answer)
            self.assertEqual(self.d.request("GET", f"/v1/{question}?at=2026-01-01").status, 400)

    def test_and_in_a_database_with_no_rules_at_hand(self):
        path = self.copy()
        for question in ("verify", "replay"):
            done = tool(question, "--database", path, "--rules", "/nonexistent")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_event_that_was_changed_is_told(self):
        path = self.copy("UPDATE event_row SET recorded = recorded + 1 WHERE seq = 3")
        done = tool("verify", "--database", path)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("3", done.stdout)
        self.assertEqual(tool("verify", "--json", "--database", path).returncode, 1)

    def test_a_decision_that_was_changed_is_told(self):
        path = self.copy("DELETE FROM change_row WHERE seq = 2")
        done = tool("replay", "--database", path)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("something differs", done.stdout)
        self.assertEqual(tool("verify", "--database", path).returncode, 0)

    def test_what_can_not_be_asked_exits_3(self):
        for question in ("verify", "replay"):
            self.assertEqual(tool(question, "--database", "/nonexistent").returncode, 3)
            self.assertEqual(tool(question, "--url", "unix:/nonexistent").returncode, 3)
            self.assertEqual(tool(question, "--url", "elsewhere").returncode, 2)


class CleanStop(unittest.TestCase):
    def test_the_database_is_one_file_again(self):
        d = Daemon()
        self.addCleanup(d.close)
        d.start()
        d.send([registered(100001)])
        self.assertEqual(d.request("GET", "/v1/schools").status, 200)  # a reader is open
        self.assertTrue(os.path.exists(d.database + "-wal"))
        self.assertEqual(d.stop(), 0, d.log())
        self.assertFalse(os.path.exists(d.database + "-wal"), d.log())
        copy = d.folder / "copy.db"
        shutil.copy(d.database, copy)
        self.assertEqual(json.loads(tool("verify", "--json", "--database", copy).stdout)["events"], 1)


if __name__ == "__main__":
    unittest.main()
