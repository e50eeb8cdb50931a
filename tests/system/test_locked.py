"""Somebody holds the database's write lock for longer than the daemon waits: it says so, and goes on afterwards."""

import json
import sqlite3
import unittest

from daemon import Daemon, event, registered

LINES = {"Content-Type": "application/x-ndjson"}


class Locked(unittest.TestCase):
    def test_intake_goes_on_when_the_lock_is_released(self):
        d = Daemon()
        self.addCleanup(d.close)
        d.start()
        d.send([registered(100001)])
        lead = json.dumps(event("lead.named", "school/100001", {"teacher": "t-1"}))
        lock = sqlite3.connect(d.database, isolation_level=None, timeout=60)
        lock.execute("BEGIN IMMEDIATE")
        self.assertEqual(d.request("POST", "/v1/events", lead, LINES).status, 503)
        lock.execute("ROLLBACK")
        lock.close()
        self.assertEqual(d.request("POST", "/v1/events", lead, LINES).json()["accepted"], 1)
        d.send([event("lead.named", "school/100001", {"teacher": "t-2"}, id="t-2")])
        self.assertEqual(d.request("GET", "/v1/status").json()["events"], 3)
        self.assertTrue(d.request("GET", "/v1/verify").json()["ok"])


if __name__ == "__main__":
    unittest.main()
