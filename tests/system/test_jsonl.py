"""The feed in files: every entry once and in order, across kills and rotation."""

import json
import time
import unittest

from daemon import PATIENCE_S, Daemon, event, registered

SECTION = "[plugin jsonl]\nmax_kib = 8\nkeep = 1000\n"


class Jsonl(unittest.TestCase):
    def setUp(self):
        self.d = Daemon(http=SECTION)
        self.addCleanup(self.d.close)
        self.d.start()
        self.path = self.d.folder / "feed.jsonl"

    def files(self):
        return sorted(self.path.parent.glob("feed.jsonl.*")) + [self.path]

    def change(self, step):
        kind = "commitment.given" if step % 2 == 0 else "commitment.withdrawn"
        self.d.send([event(kind, f"school/10000{n}", id=f"c-{n}-{step}", time=f"2025-09-10T10:00:{step:02}Z")
                     for n in range(5)])

    def entries(self):
        """None: a file is just getting another name, or a line is being written."""
        try:
            return [json.loads(line) for f in self.files() for line in f.read_text().splitlines()]
        except (FileNotFoundError, ValueError):
            return None

    def await_all(self):
        feed = self.d.request("GET", "/v1/changes?limit=10000").json()["items"]
        deadline = time.monotonic() + PATIENCE_S
        while (found := self.entries()) != feed:
            self.assertLess(time.monotonic(), deadline, (found and len(found), len(feed)))
            time.sleep(0.05)
        return feed

    def test_all_of_it_once_in_order_and_in_pieces(self):
        self.d.send([registered(f"10000{n}") for n in range(5)])
        for step in range(12):
            self.change(step)
            if step % 3 == 2:
                self.d.kill()
                with open(self.path, "a") as file:
                    file.write('{"half a li')  # as a crash may leave it
                self.d.start()
        feed = self.await_all()
        self.assertGreater(len(self.files()), 2)
        for older in self.files()[:-1]:
            last = json.loads(older.read_text().splitlines()[-1])["data"]["seq"]
            self.assertEqual(older.name, f"feed.jsonl.{last:012}")
        self.d.stop()
        self.d.start()
        self.assertEqual(self.await_all(), feed)

    def test_a_full_or_missing_place_is_told_and_nothing_is_lost(self):
        self.d.send([registered(f"10000{n}") for n in range(5)])
        self.await_all()
        self.d.stop()
        self.path.unlink()
        self.path.mkdir()
        self.d.start()
        faults = self.d.request("GET", "/v1/status").json()["plugin_faults"]
        self.assertIn("can not open", faults[0]["reason"])
        self.assertEqual(self.d.request("GET", "/readyz").status, 200)


if __name__ == "__main__":
    unittest.main()
