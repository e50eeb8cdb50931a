"""Events from files in a folder: taken whole, processed once whatever happens, put away with a report."""

import json
import os
import random
import time
import unittest

from daemon import PATIENCE_S, Daemon, event, registered
from proof import rows
from support import lines_of, number_from

SECTION = "[plugin spool]\nsettle = 0\ninterval = 1\n"


class SpoolTest(unittest.TestCase):
    def daemon(self, section=SECTION, **more):
        d = Daemon(http=section, **more)
        self.addCleanup(d.close)
        self.spool = d.folder / "spool"
        return d.start()

    def drop(self, name, content):
        """As people should: under a name that is not looked at, then renamed."""
        part = self.spool / "in" / ("." + name)
        part.write_bytes(content if isinstance(content, bytes) else content.encode())
        part.rename(self.spool / "in" / name)

    def await_report(self, name, result):
        path = self.spool / result / (name + ".report.json")
        deadline = time.monotonic() + PATIENCE_S
        while not (path.exists() and (self.spool / result / name).exists()):
            self.assertLess(time.monotonic(), deadline, sorted(self.spool.rglob("*")))
            time.sleep(0.02)
        return json.loads(path.read_text())

    def counts(self, report):
        return tuple(report[k] for k in ("accepted", "duplicate", "conflict", "invalid"))


class Files(SpoolTest):
    def test_lines_an_array_and_a_single_event(self):
        d = self.daemon()
        events = [registered(str(100001 + i)) for i in range(5)]
        self.drop("a.ndjson", "\ufeff" + lines_of(events[:2]).replace("\n", "\r\n") + "\n\n" + lines_of(events[2:3])[:-1])
        self.assertEqual(self.counts(self.await_report("a.ndjson", "done")), (3, 0, 0, 0))
        self.drop("b.json", json.dumps(events[2:4], indent=1))
        self.assertEqual(self.counts(self.await_report("b.json", "done")), (1, 1, 0, 0))
        self.drop("c.json", json.dumps(events[4]))
        self.assertEqual(self.counts(self.await_report("c.json", "done")), (1, 0, 0, 0))
        self.assertEqual(list((self.spool / "in").iterdir()) + list((self.spool / "work").iterdir()), [])
        self.assertEqual({a for a, in rows(d.database, "SELECT actor FROM event")},
                         {"spool:a.ndjson", "spool:b.json", "spool:c.json"})

    def test_what_is_refused_is_told_by_line_and_set_aside(self):
        d = self.daemon()
        good, other = registered("100001", id="x"), registered("100001", name="Else", id="x")
        bad = event("lead.named", "school/100001", {"techer": "p-1"})
        self.drop("mixed.ndjson", lines_of([good]) + "\n" + lines_of([bad, other]) + "{not json\n")
        report = self.await_report("mixed.ndjson", "failed")
        self.assertEqual(self.counts(report), (1, 0, 1, 2))
        self.assertEqual([(r["line"], r["status"]) for r in report["refused"]],
                         [(3, "invalid"), (4, "conflict"), (5, "invalid")])
        self.assertIn("teacher", report["refused"][0]["detail"])
        aside = rows(d.database, "SELECT origin, body FROM quarantine ORDER BY number")
        self.assertEqual([o for o, _ in aside], [f"spool/mixed.ndjson:{n}" for n in (3, 4, 5)])
        self.assertEqual(json.loads(aside[0][1]), bad)

    def test_what_an_array_holds_that_can_not_be_is_the_fault_of_that_event(self):
        d = self.daemon()
        good = json.dumps([registered(str(100001 + i)) for i in range(3)], indent=2)[2:-2]
        bad = json.dumps(event("school.changed", "school/100001", {"pupils": 1}), indent=2)
        named = bad.replace('"data": {', '"data": {"pupils": 2, ')
        self.assertNotEqual(named, bad)
        self.drop("a.json", "[" + bad.replace("1\n", "99999999999999999999\n") + ",\n" + good + ",\n" +
                  bad.replace("1\n", "-1e999\n") + "," + named + ", 1e999,{}]\n")
        report = self.await_report("a.json", "failed")
        self.assertIsNone(report["error"])
        self.assertEqual(self.counts(report), (3, 0, 0, 5))
        self.assertEqual([r["item"] for r in report["refused"]], [1, 5, 6, 7, 8])
        for refused, said in zip(report["refused"], (
                '"pupils" is 99999999999999999999: a whole number beyond 64 bits',
                '"pupils" is -1e999: a number beyond 1.8e308', "duplicate", "1e999: a number beyond", "specversion")):
            self.assertIn(said, refused["detail"])
        aside = rows(d.database, "SELECT body FROM quarantine ORDER BY number")
        self.assertIn('"pupils":99999999999999999999}', aside[0][0] if isinstance(aside[0][0], str) else aside[0][0].decode())
        self.drop("b.json", bad.replace("1\n", "1e999\n"))
        self.assertEqual(self.counts(self.await_report("b.json", "failed")), (0, 0, 0, 1))
        self.drop("c.json", "[" + good + ", 1e999 2]")
        self.assertIn("it is no JSON: line ", self.await_report("c.json", "failed")["error"])
        self.assertEqual(d.request("GET", "/v1/status").json()["events"], 3)

    def test_what_can_not_be_read_says_why(self):
        self.daemon()
        for name, content, said in (("a.txt", b"x", "expected .ndjson"), ("b.json", b"[1,", "it is no JSON: line 1"),
                                    ("c.csv", b"URN\n1\n", "no mapping says"),
                                    ("d.ndjson", b"x" * (17 << 20), "line 1: a line is longer than 16 MiB")):
            self.drop(name, content)
            self.assertIn(said, self.await_report(name, "failed")["error"])
        os.mkfifo(self.spool / "in" / "pipe.ndjson")
        self.assertIn("no regular file", self.await_report("pipe.ndjson", "failed")["error"])
        (self.spool / "in" / "link.ndjson").symlink_to("/etc/passwd")
        self.assertIn("no regular file", self.await_link("link.ndjson")["error"])

    def await_link(self, name):
        path = self.spool / "failed" / (name + ".report.json")
        deadline = time.monotonic() + PATIENCE_S
        while not path.exists():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        return json.loads(path.read_text())

    def test_a_name_may_hold_any_byte_and_be_as_long_as_there_is(self):
        self.daemon()
        folder = os.fsencode(self.spool)
        for number, name in enumerate((b"\xff\xfe.ndjson", b"two\nlines.ndjson", "é".encode() * 124 + b".ndjson")):
            part = folder + b"/in/.part"
            with open(part, "wb") as file:
                file.write(lines_of([registered(str(100001 + number))]).encode() + b"{no json\n")
            os.rename(part, folder + b"/in/" + name)
            kept = name if len(name) < 200 else "é".encode() * 116
            report = folder + b"/failed/" + kept + b".report.json"
            deadline = time.monotonic() + PATIENCE_S
            while not (os.path.exists(report) and os.path.exists(folder + b"/failed/" + kept)):
                self.assertLess(time.monotonic(), deadline, os.listdir(folder + b"/failed"))
                time.sleep(0.02)
            with open(report) as file:
                told = json.load(file)
            self.assertEqual(self.counts(told), (1, 0, 0, 1))
            shown = ("\\xff\\xfe.ndjson", "two\\x0alines.ndjson", "é" * 124 + ".ndjson")[number]
            self.assertEqual(told["file"], shown)

    def test_lines_are_told_as_the_file_counts_them(self):
        self.daemon()
        self.drop("a.ndjson", lines_of([registered(str(100000 + i)) for i in range(1001)]) + "\0\0\0\n{no json")
        told = self.await_report("a.ndjson", "failed")
        self.assertEqual([r["line"] for r in told["refused"]], [1002, 1003])
        self.assertEqual(told["refused"][0]["detail"], "column 1 (byte 1): a NUL byte: write it as \\u0000 in a string")

    def test_a_mapping_has_the_name_before_the_last_dash(self):
        self.daemon()
        (self.spool / "mappings").mkdir()
        mapping = {"type": "lead.named", "subject": "URN", "time": "Date", "data": {"teacher": "Key"}}
        (self.spool / "mappings/lead.named.json").write_text(json.dumps(mapping))
        self.drop("lead.named-2025.csv", "URN,Date,Key\n100001,10/09/2025,p-1\n")
        self.assertEqual(self.counts(self.await_report("lead.named-2025.csv", "done")), (1, 0, 0, 0))

    def test_one_name_twice_keeps_both(self):
        self.daemon()
        self.drop("a.ndjson", lines_of([registered("100001")]))
        self.await_report("a.ndjson", "done")
        self.drop("a.ndjson", lines_of([registered("100002")]))
        self.assertEqual(self.counts(self.await_report("a.ndjson~2", "done")), (1, 0, 0, 0))

    def test_what_is_still_being_written_is_left(self):
        self.daemon(SECTION.replace("settle = 0", "settle = 3600"))
        for name in (".hidden.ndjson", "a.ndjson.part", "a.ndjson.tmp", "new.ndjson"):
            (self.spool / "in" / name).write_text(lines_of([registered("100001")]))
        old = self.spool / "in" / "old.ndjson"
        old.write_text(lines_of([registered("100002")]))
        os.utime(old, (1, 1))
        self.await_report("old.ndjson", "done")
        self.assertEqual(sum(1 for _ in (self.spool / "in").iterdir()), 4)


class Crashes(SpoolTest):
    def test_killed_anywhere_each_file_is_processed_once(self):
        seed = number_from("PATHWAY_SEED", 1)
        chance = random.Random(seed)
        d = self.daemon()
        events = [registered(str(100000 + i), id=f"e-{i}") for i in range(3000)]
        bad = [json.dumps(event("no.such", "school/100001", id=f"b-{i}")) + "\n" for i in range(40)]
        for n in range(4):
            lines = lines_of(events[n * 750:(n + 1) * 750]).splitlines(True) + bad[n * 10:(n + 1) * 10]
            chance.shuffle(lines)
            self.drop(f"f{n}.ndjson", "".join(lines * 1))
        (self.spool / "mappings").mkdir()
        (self.spool / "mappings/g.json").write_text(json.dumps({"type": "lead.named", "subject": "URN", "time": "Date",
                                                                "data": {"teacher": "Key"}}))
        self.drop("g.csv", "URN,Date,Key\n" + "".join(f"100001,2025-09-10,Ann {i}\n" for i in range(10)))
        for _ in range(number_from("PATHWAY_KILLS", 8)):
            time.sleep(chance.random() * 0.25)
            d.kill()
            d.start()
        for n in range(4):
            report = self.await_report(f"f{n}.ndjson", "failed")
            self.assertEqual(report["accepted"] + report["duplicate"], 750, seed)
            self.assertEqual(report["invalid"], 10, seed)
        self.assertEqual(rows(d.database, "SELECT count(*) FROM event"), [(3000,)], seed)
        self.assertEqual(self.await_report("g.csv", "failed")["invalid"], 10, seed)
        self.assertEqual(rows(d.database, "SELECT count(*), count(DISTINCT origin) FROM quarantine"), [(50, 50)], seed)
        self.assertEqual(len(list((self.spool / "failed").iterdir())), 10, seed)


if __name__ == "__main__":
    unittest.main()
