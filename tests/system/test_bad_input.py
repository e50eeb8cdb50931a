"""What is malformed is refused with one sentence that says where and why; the rest goes on, nothing is damaged."""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path

from daemon import PATIENCE_S, Daemon, binary, event, registered
from support import KINDS, RULES, lines_of, tool

GOOD = event("lead.named", "school/100001", {"teacher": "t1"}, id="x")
VISIT = {"type": "school.visited", "data": {"group": "group/a", "academic_year": "2024/25", "term": 1}}
MET = {"type": "group.met", "subject": "group/a", "data": {
    "kind": "development", "academic_year": "2024/25", "half_term": 1, "attendance": {"school/100001": ["t1"]}}}


def changed(base=GOOD, data=None, **members):
    """A good event with other members; those that are None are left out."""
    made = GOOD | base | members
    made["data"] = base["data"] | data if data else made["data"]
    return json.dumps({name: value for name, value in made.items() if value is not None})


# What is sent, and words of the sentence about it: the place, then what was found or is missing.
REFUSED = [
    ("{", "line {line}", "end of file"),
    ("null", "found null"),
    ("[]", "found an array"),
    ("{}", "specversion", "missing"),
    ('{"id":"x","id":"x"}', "line {line}", "duplicate"),
    ('{"a":' * 70 + "1" + "}" * 70, "line {line}", "64 levels"),
    (changed() + "}", "line {line}", "behind the value"),
    (changed().encode().replace(b"t1", b"\xff"), "line {line}", "0xff"),
    (changed(specversion="0.3"), "specversion", '"0.3"'),
    (changed(id=None), "id: missing"),
    (changed(id=""), 'id: found ""'),
    (changed(id=5), "id: found 5"),
    (changed(source="not a uri"), "source", "not a uri", "URI-reference"),
    (changed(source="http://["), "source", "http://[", "URI-reference", "at byte 9"),
    (changed(dataschema="/schema"), "dataschema", "/schema", "an absolute URI"),
    (changed(dataschema="http://["), "dataschema", "http://[", "at byte 9"),
    (changed(type="lead.namd"), "type", "lead.namd", 'did you mean "lead.named"'),
    (changed(subject="scool/1"), "subject", "scool/1", 'did you mean "school"'),
    (changed(subject="school/12x"), "subject", "school/12x"),
    (changed(subject="group/x"), "subject", "group/x", "a school"),
    (changed(time="2025-02-30T00:00:00Z"), "time", "2025-02-30", "no such day"),
    (changed(time="2025-09-10"), "time", "2025-09-10", "a day without a time"),
    (changed(time="2025-09-10T10:00:00"), "time", "2025-09-10T10:00:00"),
    (changed(Extra="x"), "Extra"),
    (changed(sequence=5), "sequence: found 5"),
    (changed(data_base64="aGk="), "data_base64"),
    (json.dumps(GOOD | {"data": []}), "data: found an array"),
    (json.dumps(GOOD | {"data": {}}), "data.teacher: missing"),
    (changed(data={"teacher": "Ann Lee"}), "data.teacher", "Ann Lee", "pathway person set"),
    (changed(data={"teacher": "ann@example.org"}), "data.teacher", "ann@example.org", "pathway person set"),
    (changed(data={"teacher": "x" * 65}), "data.teacher"),
    (changed(data={"teecher": "t1"}), "data.teecher", 'did you mean "teacher"'),
    (changed(VISIT, {"academic_year": "2024/26"}), "data.academic_year", "2024/26"),
    (changed(VISIT, {"term": 4}), "data.term: found 4", "1 to 3"),
    (changed(VISIT, {"term": "1"}), "data.term"),
    (changed(VISIT, {"group": "grp"}), "data.group", "grp", 'did you mean "group/grp"'),
    (changed(MET, {"attendance": {"100001": []}}), "data.attendance", "100001"),
    (changed(MET, {"attendance": {"school/100001": "t1"}}), "data.attendance"),
    (changed(MET, {"half_term": 0}), "data.half_term: found 0", "1 to 6"),
    (changed(MET, {"observation": "yes"}), "data.observation"),
    (changed({"type": "event.voided", "data": {"source": "a"}}), "data.id: missing"),
    (changed({"type": "waiver.granted", "data": {"rule": "ready", "reason": "r", "until": "2024-13-01"}}),
     "data.until", "2024-13-01", "no such month"),
]


def as_bytes(line):
    return line if isinstance(line, bytes) else line.encode()


class Events(unittest.TestCase):
    def test_each_malformed_event_gets_a_sentence_and_the_others_are_taken(self):
        body, good = b"", []
        for number, (line, *_) in enumerate(REFUSED):
            good.append(GOOD | {"id": f"good{number}"})
            body += as_bytes(line) + b"\n" + lines_of(good[-1:]).encode()
        with Daemon() as d:
            answer = d.request("POST", "/v1/events", body, {"Content-Type": KINDS["ndjson"]})
            told = answer.json()
            self.assertEqual((told["accepted"], told["invalid"]), (len(good), len(REFUSED)), told)
            for number, ((line, *words), result) in enumerate(zip(REFUSED, told["results"])):
                with self.subTest(line=line):
                    self.assertEqual((result["index"], result["status"]), (2 * number, "invalid"))
                    self.assertNotIn("\n", result["detail"])
                    for word in words:
                        self.assertIn(word.format(line=2 * number + 1), result["detail"])
            self.assertEqual(d.send(good)["duplicate"], len(good))
            self.assertNotIn("Ann Lee", d.log())

    def test_the_tool_tells_the_file_and_line(self):
        with tempfile.TemporaryDirectory() as folder, Daemon() as d:
            path = Path(folder) / "events.ndjson"
            path.write_text(lines_of([GOOD]) + "\n" + changed(type="lead.namd", id="y") + "\n")
            for command in (["send"], ["judge", "--rules", RULES]):
                done = tool(*command, path, PATHWAY_URL=f"unix:{d.socket}")
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"{path}:3: ", done.stderr)
                self.assertIn('did you mean "lead.named"', done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)

    def test_what_is_over_a_limit_is_413_and_nothing_of_it_is_taken(self):
        with Daemon(daemon="max_event = 4K\nmax_events = 20\nmax_body = 64K") as d:
            many = [GOOD | {"id": f"m{n}"} for n in range(21)]
            wide = [GOOD | {"id": f"w{n}", "extra": "x" * 3500} for n in range(20)]
            for events, words in ((many, "20"), (wide, "65536")):
                for form in ("ndjson", "batch"):
                    body = lines_of(events) if form == "ndjson" else json.dumps(events)
                    answer = d.request("POST", "/v1/events", body, {"Content-Type": KINDS[form]})
                    self.assertEqual(answer.status, 413, answer.text())
                    self.assertIn(words, answer.json()["detail"])
            self.assertEqual(d.send(many[:20])["accepted"], 20)
            told = d.send([GOOD | {"id": "long", "extra": "x" * 5000}, GOOD | {"id": "short"}])
            self.assertEqual((told["accepted"], told["invalid"]), (1, 1))
            self.assertIn("4096", told["results"][0]["detail"])


class Databases(unittest.TestCase):
    """A database that can not be used is refused with a sentence, by the daemon and the tool, and stays as it is."""

    def setUp(self):
        self.d = Daemon()
        self.addCleanup(self.d.close)

    def fill(self):
        self.d.start()
        self.d.send([registered(100001)])
        self.assertEqual(self.d.stop(), 0)

    def digest(self):
        return hashlib.sha256(Path(self.d.database).read_bytes()).hexdigest()

    def refused(self, *words, by_tool=True):
        before = self.digest()
        self.d.start(wait=False)
        self.assertEqual(self.d.process.wait(PATIENCE_S), 1)
        reasons = [line for line in self.d.log().splitlines() if "can not open" in line]
        self.assertEqual(len(reasons), 1, self.d.log())
        told = [reasons[0]]
        if by_tool:
            done = tool("status", "--database", self.d.database)
            self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)
            told.append(done.stderr)
        for sentence in told:
            for word in (self.d.database, *words):
                self.assertIn(word, sentence)
        self.assertEqual(self.digest(), before)

    def test_from_a_newer_version(self):
        self.fill()
        with sqlite3.connect(self.d.database) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
        self.refused("version 99", "newer")

    def test_not_a_database(self):
        Path(self.d.database).write_bytes(b"subject,decision,value\n" * 500)
        self.refused("not a database")

    def test_another_programs_database(self):
        with sqlite3.connect(self.d.database) as db:
            db.execute("CREATE TABLE recipe (name TEXT)")
        db.close()
        self.refused("pathway")

    def test_a_place_that_is_not_there(self):
        self.d.config.write_text(self.d.config.read_text().replace("pathway.db", "no/such/folder/pathway.db"))
        self.d.start(wait=False)
        self.assertEqual(self.d.process.wait(PATIENCE_S), 1)
        self.assertIn("no/such/folder", self.d.log())
        done = tool("status", "--database", self.d.folder / "no/such/folder/pathway.db")
        self.assertEqual(done.returncode, 3)
        self.assertIn("no/such/folder", done.stderr)

    def test_one_that_another_daemon_has(self):
        self.fill()
        self.d.start()
        other = Daemon()
        self.addCleanup(other.close)
        other.config.write_text(other.config.read_text().replace(other.database, self.d.database))
        other.start(wait=False)
        self.assertEqual(other.process.wait(PATIENCE_S), 1)
        self.assertIn(f"another pathwayd (process {self.d.process.pid}) has this database", other.log())
        self.assertEqual(self.d.send([registered(100002)])["accepted"], 1)

    def run_as_nobody(self):
        """The daemon as somebody who is not root, whom nothing stops; None: that can not be tried here."""
        user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        environment = {"PATHWAYD_DAEMON_RULES": str(self.d.folder / "rules")}
        command = [binary("pathwayd"), "--config", self.d.config]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, env=environment, **user)
        except PermissionError:
            return None

    def test_one_that_may_not_be_written(self):
        self.fill()
        shutil.copytree(RULES, self.d.folder / "rules")
        Path(self.d.database + ".lock").unlink(missing_ok=True)
        before = self.digest()
        for folder, file in ((0o555, 0o444), (0o777, 0o444)):
            os.chmod(self.d.database, file)
            os.chmod(self.d.folder, folder)
            done = self.run_as_nobody()
            os.chmod(self.d.folder, 0o755)
            if done is None:
                self.skipTest("the daemon's file can not be run by others")
            with self.subTest(folder=oct(folder), file=oct(file)):
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, f"can not open: {self.d.database}.* must be able to write")
                self.assertEqual(self.digest(), before)

    def test_a_torn_file_does_not_go_on_in_silence(self):
        self.d.start()
        self.d.send([registered(100000 + n) for n in range(2000)])
        self.d.stop()
        with open(self.d.database, "r+b") as file:
            file.truncate(file.seek(0, 2) // 2)
        self.d.start(wait=False)
        self.assertEqual(self.d.process.wait(PATIENCE_S), 1)
        self.assertRegex(self.d.log(), "malformed|damaged|backup")


class Configuration(unittest.TestCase):
    """Each bad line is told with its number; the daemon does not start."""

    def check(self, text, *expected):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "pathwayd.conf"
            path.write_text(text.replace("DB", f"{folder}/pathway.db"))
            for more in (["--check"], []):
                done = subprocess.run([binary("pathwayd"), "--config", path, *more], capture_output=True, text=True,
                                      timeout=PATIENCE_S)
                self.assertEqual(done.returncode, 1, done.stderr)
                for line in expected:
                    self.assertIn(line.format(path=path), done.stderr)
            self.assertEqual(os.listdir(folder), ["pathwayd.conf"])

    def test_unknown_keys_and_sections(self):
        self.check("[daemon]\ndatabase = DB\nruels = /etc\n", "{path}:3: ", "ruels", 'did you mean "rules"')
        self.check("[deamon]\ndatabase = DB\n", "{path}:1: ", "deamon")
        self.check("[daemon]\ndatabase = DB\n[plugin htp]\nlisten = x\n", "htp")

    def test_lines_that_say_nothing(self):
        self.check("[daemon]\ndatabase = DB\njust words\n", "{path}:3: ")
        self.check("database = DB\n", "{path}:1: ")

    def test_values_that_can_not_be(self):
        for line, words in (("max_events = many", "many"), ("max_body = -1", "-1"), ("log_level = loud", "loud"),
                            ("max_depth = 0", "0")):
            self.check(f"[daemon]\ndatabase = DB\n{line}\n", "{path}:3: ", words)

    def test_the_same_key_twice(self):
        self.check("[daemon]\ndatabase = DB\ndatabase = DB\n", "{path}:3: ", "database")

    def test_no_file(self):
        done = subprocess.run([binary("pathwayd"), "--config", "/nowhere/x.conf"], capture_output=True, text=True,
                              timeout=PATIENCE_S)
        self.assertIn(done.returncode, (1, 2, 3))
        self.assertIn("/nowhere/x.conf", done.stderr)


if __name__ == "__main__":
    unittest.main()
