"""A backup in the database's place: numbers of the feed are given again, and whoever has the lost ones is told."""

import json
import time
import unittest

from daemon import PATIENCE_S, Daemon, event, registered
from support import tool
from test_streams import entries, open_stream, read_until

ENTRY = "pathway.decision.changed"


class RestoredFeed(unittest.TestCase):
    """One daemon: a feed, a backup at its entry `at`, entries behind that which are lost, and more new ones than those."""

    @classmethod
    def setUpClass(cls):
        cls.d = d = Daemon(http="[plugin jsonl]\nmax_kib = 8\nkeep = 1000\n")
        d.start()
        d.send([registered(100000 + n) for n in range(5)])
        cls.change("given", 10)
        cls.kept = cls.feed()
        cls.at = len(cls.kept)
        backup = d.folder / "backup.db"
        done = tool("backup", backup, "--url", f"unix:{d.socket}")
        assert done.returncode == 0, done.stderr
        cls.change("withdrawn", 11)
        cls.lost = cls.feed()[cls.at:]
        cls.old = cls.id_of(cls.kept[0])
        cls.await_lines(cls.kept + cls.lost)
        d.stop()
        done = tool("restore", backup, "--database", d.database)
        assert done.returncode == 0, done.stderr
        d.start()
        for step in range(12, 18):
            cls.change("withdrawn" if step % 2 == 0 else "given", step)
        cls.after = cls.feed()[cls.at:]
        cls.new = cls.id_of(cls.after[0])

    @classmethod
    def tearDownClass(cls):
        cls.d.close()

    @classmethod
    def change(cls, kind, day):
        cls.d.send([event(f"commitment.{kind}", f"school/{100000 + n}", id=f"{kind}-{day}-{n}",
                          time=f"2025-09-{day}T10:00:00Z") for n in range(5)])

    @classmethod
    def feed(cls):
        return cls.d.request("GET", "/v1/changes?limit=10000").json()["items"]

    @classmethod
    def await_lines(cls, expected):
        """Until the files have these, in whatever order, each once."""
        deadline, found = time.monotonic() + PATIENCE_S, []
        while sorted(found) != sorted(e["id"] for e in expected):
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
            files = list(cls.d.folder.glob("feed.jsonl.*")) + [cls.d.folder / "feed.jsonl"]
            try:
                lines = [line for f in files if f.exists() for line in f.read_text().splitlines()]
            except FileNotFoundError:
                continue  # it has just got another name
            found = [json.loads(line)["id"] for line in lines if line.endswith("}}}")]

    @staticmethod
    def id_of(entry):
        return entry["id"].split("/")[0]

    def get(self, after, more=""):
        return self.d.request("GET", f"/v1/changes?after={after}{more}")

    def test_what_is_the_same_keeps_its_name_and_what_is_not_has_another(self):
        self.assertEqual(self.feed()[:self.at], self.kept)
        self.assertGreater(len(self.after), len(self.lost))
        self.assertEqual([e["data"]["seq"] for e in self.feed()], list(range(1, self.at + len(self.after) + 1)))
        self.assertNotEqual(self.old, self.new)
        self.assertEqual({self.id_of(e) for e in self.after}, {self.new})
        self.assertEqual({e["id"] for e in self.lost} & {e["id"] for e in self.after}, set())
        self.assertEqual(self.d.request("GET", "/v1/status").json()["database"], self.new)

    def test_whoever_has_only_what_is_still_there_goes_on(self):
        for seq in (0, 1, self.at):
            self.assertEqual(self.get(f"{self.old}/{seq}").json()["items"], self.feed()[seq:])
        last = self.after[-1]["id"]
        page = self.get(last).json()
        self.assertEqual((page["items"], page["place"]), ([], last))
        self.assertEqual(self.get(self.kept[0]["id"], "&limit=3").json()["place"], self.feed()[3]["id"])
        self.assertEqual(self.get(0, f"&limit={self.at}").json()["place"], f"{self.old}/{self.at}")

    def test_whoever_has_what_was_lost_is_refused_though_the_numbers_are_there_again(self):
        for place in (self.lost[0]["id"], self.lost[-1]["id"], f"{self.new}/99999"):
            answer = self.get(place)
            self.assertEqual(answer.status, 409, answer.text())
            self.assertIn(place, answer.json()["detail"])
            self.assertIn("take the lists again", answer.json()["detail"])
        self.assertIn("of another database", self.get("0123456789abcdef/1").json()["detail"])
        self.assertEqual(self.get(self.lost[-1]["id"], "&wait=5").status, 409)
        answer = self.d.request("GET", f"/v1/export/changes?after={self.lost[0]['id']}")
        self.assertEqual(answer.status, 409)

    def test_a_place_that_is_none_is_told(self):
        for place in ("x/y", "/4", "a/", "a/-1", "abc", "-1"):
            answer = self.get(place)
            self.assertEqual(answer.status, 400, place)
            self.assertRegex(answer.json()["detail"], r"after: found .*entry's id such as")

    def test_lists_say_a_place(self):
        page = self.d.request("GET", "/v1/schools?limit=1").json()
        self.assertEqual(page["place"], f"{self.new}/{page['seq']}")
        self.assertEqual(self.get(page["place"]).status, 200)

    def test_a_question_that_waits_has_a_place_too(self):
        last = self.after[-1]["id"]
        for place in (last, last.replace("/", "%2F")):
            self.assertEqual(self.get(place, "&wait=1").json()["place"], last)
            self.assertEqual(self.get(place, "&wait=1").json()["next"], self.after[-1]["data"]["seq"])

    def stream(self, after, last=None):
        s = open_stream(self.d, f"?after={after}", last=last)
        self.addCleanup(s.close)
        return s

    def test_a_stream_says_resync_though_the_numbers_are_there_again(self):
        seq = self.lost[-1]["data"]["seq"]
        for after, last in ((self.lost[-1]["id"], None), (self.kept[0]["id"], seq), (0, self.lost[-1]["id"]),
                            (self.lost[-1]["id"].replace("/", "%2F"), None)):
            body, _ = read_until(self.stream(after, last), lambda b: b"event: resync" in b)
            told = json.loads(body.split(b"data: ")[1].split(b"\n")[0])
            self.assertEqual((told["after"], told["seq"]), (seq, self.at + len(self.after)))
            self.assertNotIn(ENTRY.encode(), body)

    def test_a_stream_from_what_is_still_there_misses_nothing(self):
        for after, last in ((self.kept[1]["id"], None), (self.kept[0]["id"], 2), (self.kept[0]["id"], self.kept[1]["id"])):
            body, _ = read_until(self.stream(after, last), lambda b: len(entries(b)) >= self.at + len(self.after) - 2)
            self.assertEqual(entries(body), self.feed()[2:])

    def test_the_files_have_all_of_it_and_the_lost_ones_too(self):
        self.await_lines(self.kept + self.lost + self.after)

    def test_the_tool_says_so(self):
        url = ("--url", f"unix:{self.d.socket}")
        done = tool("changes", "--after", self.lost[-1]["id"], "--follow", *url)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("take the lists again", done.stderr)
        done = tool("changes", "--after", self.kept[-1]["id"], "--json", *url)
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()], self.after, done.stderr)
        self.assertEqual(tool("changes", "--after", "x/y", *url).returncode, 2)
        done = tool("changes", "--after", self.lost[0]["id"], "--database", self.d.database)
        self.assertIn("take the lists again", done.stderr)


if __name__ == "__main__":
    unittest.main()
