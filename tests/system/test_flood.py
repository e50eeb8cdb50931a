"""More than the daemon can take: it says so at once, loses nothing that it took, and needs no more memory.

The engine is slow because somebody else holds the database's write lock most of the time, as a person at a sqlite3
prompt can.

PATHWAY_MEMORY_MIB: by how much the daemon may grow (512); the thread sanitizer keeps a lot beside each byte.
"""

import json
import re
import sqlite3
import threading
import time
import unittest

from daemon import PATIENCE_S, Daemon, event, registered
from support import number_from

LINES = {"Content-Type": "application/x-ndjson"}
MIB = 1 << 20
BOUND_MIB = number_from("PATHWAY_MEMORY_MIB", 512)
SENDERS = 48
EVENTS, PADDING = 75, 200_000  # of a request: 15 MB


class Flood(unittest.TestCase):
    def begin(self):
        # Sanitized builds keep freed memory for a while; that would be counted as the daemon's.
        self.d = Daemon(environment={"ASAN_OPTIONS": "quarantine_size_mb=1:thread_local_quarantine_size_kb=64"})
        self.addCleanup(self.d.close)
        self.d.start()
        self.d.send([registered(100001)])

    def memory(self, name):
        """VmRSS: in use now; VmHWM: the most there ever was."""
        with open(f"/proc/{self.d.process.pid}/status") as file:
            return int(re.search(rf"^{name}:\s+(\d+) kB", file.read(), re.M)[1]) * 1024

    def post(self, pieces, length):
        """(status, answer, Retry-After) of a body that comes in pieces."""
        connection = self.d.connection()
        try:
            try:
                connection.putrequest("POST", "/v1/events")
                connection.putheader("Content-Length", str(length))
                connection.putheader("Content-Type", LINES["Content-Type"])
                connection.endheaders()
                for piece in pieces:
                    connection.send(piece)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before it was read: the answer is there
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers["Retry-After"]
        finally:
            connection.close()

    def hold_up(self, until):
        """Take the write lock again and again until the event is set; never for long enough to fail a commit."""
        lock = sqlite3.connect(self.d.database, isolation_level=None, timeout=PATIENCE_S)
        while not until.is_set():
            lock.execute("BEGIN IMMEDIATE")
            until.wait(0.5)
            lock.execute("ROLLBACK")
            time.sleep(0.2)
        lock.close()

    def flood(self, bodies):
        """Send all these (pieces, length) at once while the engine is slow; what they are told."""
        told, enough = [], threading.Event()
        threads = [threading.Thread(target=lambda b=b: told.append(self.post(*b))) for b in bodies]
        holder = threading.Thread(target=self.hold_up, args=(enough,))
        for thread in [holder] + threads:
            thread.start()
        try:
            deadline = time.monotonic() + PATIENCE_S
            while time.monotonic() < deadline and not any(status == 503 for status, _, _ in told):
                time.sleep(0.02)
            self.assertEqual(self.d.request("GET", "/livez").status, 200)
            self.assertEqual(self.d.request("GET", "/v1/schools").status, 200)
        finally:
            enough.set()
            for thread in [holder] + threads:
                thread.join()
        self.assertEqual(len(told), len(bodies), f"somebody got no answer\n{self.d.log()}")
        return told

    def check(self, told):
        """Who was refused knows when to come again; what was taken is there. How many were taken."""
        taken = 0
        for status, answer, retry in told:
            self.assertIn(status, (200, 503), answer)
            if status == 503:
                self.assertGreaterEqual(int(retry), 1)
            else:
                taken += answer["accepted"] + answer["duplicate"]
                self.assertEqual((answer["conflict"], answer["invalid"]), (0, 0))
        self.assertIn(503, [status for status, _, _ in told])
        self.assertIn(200, [status for status, _, _ in told])
        metrics = self.d.request("GET", "/metrics").text()
        self.assertIn("\npathwayd_queue_events 0\n", metrics)
        self.assertEqual(self.d.send([event("contact.made", "school/100001", {"group": "group/g", "academic_year":
                                                                              "2025/26"})])["accepted"], 1)
        return taken

    def large(self, sender):
        """A request's body, made while it is sent."""
        def line(n):
            return json.dumps(event("contact.made", "school/100001", {"group": "group/g", "academic_year": "2025/26"},
                                    id=f"{sender:03}-{n:03}", comment="x" * PADDING)).encode() + b"\n"
        return (line(n) for n in range(EVENTS)), len(line(0)) * EVENTS

    def test_large_requests_from_many_at_once(self):
        """All bodies are 720 MB, before anything is made of them. What the allocator keeps besides is not always the same."""
        grown = []
        while not grown or grown[-1] >= BOUND_MIB * MIB:
            self.assertLess(len(grown), 3, grown)
            grown.append(self.large_requests())

    def large_requests(self):
        """By how much a daemon grows."""
        self.begin()
        before = self.memory("VmRSS")
        told = self.flood([self.large(sender) for sender in range(SENDERS)])
        grown = self.memory("VmHWM") - before
        taken = self.check(told)
        self.assertEqual(taken % EVENTS, 0)
        self.assertEqual(self.d.request("GET", "/v1/status").json()["events"], 1 + taken + 1)
        self.d.stop()
        return grown


if __name__ == "__main__":
    unittest.main()
